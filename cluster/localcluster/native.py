"""The native backend: one real node in namespaces of this machine, without Docker."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcluster import (
    addons,
    files,
    hosttools,
    imagebuild,
    imagelist,
    namespace,
    pki,
    processes,
    tools,
    waiting,
)
from localcluster.errors import ClusterError
from localcluster.kubeapi import KubeApi
from localcluster.paths import component_log, launch_record, lock_file, state_file
from localcluster.progress import step
from localcluster.settings import CLUSTER_DIR
from localcluster.status import Row, Status
from localcluster.store import ImageStore
from localcluster.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localcluster.addons import Deployment
    from localcluster.imagelist import Image
    from localcluster.settings import Settings

_UP_SECONDS = 120.0
_DOWN_SECONDS = 20.0
_TOO_MANY_RESTARTS = 5
_LAST_CHARACTERS = 2000


class Native:
    """One native cluster, running or not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._api = KubeApi(settings.pki_dir, settings.api_port)

    def up(self) -> None:
        """Make the cluster run, whatever state it is in; return when it is ready for work."""
        _require_root()
        programs = tools.locate(self.settings)
        building = [hosttools.TOOLS] if tools.missing(programs) else []
        hosttools.require("The native cluster", hosttools.NODE, *building)
        programs = tools.ensure(self.settings)
        archives = imagebuild.ensure_archives(self.settings, imagelist.node_images())
        with files.exclusive(lock_file(self.settings)):
            self._start(programs)
            with step("API server"):
                self._wait(self._api.ready, "the API server does not answer")
            with step("images into the node"):
                self._import(programs, archives)
            with step("add-ons applied"):
                kubectl = programs.program("kubectl")
                addons.apply(kubectl, self.settings.kubeconfig, programs.gateway_api)
                addons.apply(kubectl, self.settings.kubeconfig, addons.MANIFESTS)
            with step("node Ready"):
                self._wait(lambda: self._api.node_ready(self.settings.node_name), "the node is not Ready")
            for deployment in addons.ALL:
                with step(f"{deployment.name} available"):
                    self._wait_for_deployment(deployment)
            with step("ingress answers"):
                self._wait(
                    lambda: addons.ingress_answers(self.settings.http_port),
                    f"nothing answers at http://127.0.0.1:{self.settings.http_port}",
                )

    def down(self) -> None:
        """End the cluster and remove what belongs to this run; images and logs stay."""
        _require_root()
        with files.exclusive(lock_file(self.settings)):
            self._stop()

    def status(self) -> Status:
        """Every component as the supervisor sees it, then what only a client can see."""
        running = self.running()
        rows = self._component_rows() if running else []
        rows.append(_row("node", self._api.node_ready(self.settings.node_name), "Ready"))
        for deployment in addons.ALL:
            available = self._api.deployment_available(deployment.namespace, deployment.name)
            rows.append(_row(deployment.name, available, "available"))
        answers = running and addons.ingress_answers(self.settings.http_port)
        rows.append(_row("ingress", answers, "answering"))
        url = f"http://127.0.0.1:{self.settings.http_port}"
        return Status(self.settings.name, "native", tuple(rows), str(self.settings.kubeconfig), url)

    def build(self, images: Sequence[Image]) -> None:
        """Build images whose content changed, as archives in the cache."""
        tools.ensure(self.settings)
        imagebuild.ensure_archives(self.settings, images)

    def known_images(self) -> Sequence[Image]:
        """The project's own, and those of the node itself."""
        return (*imagelist.project_images(), *imagelist.node_images())

    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.settings.kubeconfig

    def logs_command(self, component: str, *, follow: bool) -> list[str]:
        """The command that prints a component's log."""
        log = component_log(self.settings, component)
        known = sorted(path.stem for path in self.settings.logs_dir.glob("*.log"))
        if component not in known:
            raise ClusterError(f"No log of {component!r}; there are: {', '.join(known) or 'none yet'}.")
        return ["tail", "-n", "+1", *(["-F"] if follow else []), str(log)]

    def exec_command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another inside the cluster's namespaces."""
        return [*self.enter(), f"--wd={Path.cwd()}", *command]

    def running(self) -> bool:
        """Whether the cluster's namespaces exist."""
        return processes.recorded(launch_record(self.settings)) is not None

    def load(self, image: Image) -> None:
        """Build an image if needed and put it into the node unless that very image is there."""
        [archive] = imagebuild.ensure_archives(self.settings, [image])
        with files.exclusive(lock_file(self.settings)), step(f"load {image.short}"):
            self._import(self._programs(), [archive])

    def enter(self) -> tuple[str, ...]:
        """What a command needs in front to run inside the cluster's namespaces."""
        target = str(self._first_inside())
        return ("nsenter", "--target", target, "--net", "--mount", "--uts", "--ipc", "--pid")

    def _first_inside(self) -> int:
        """Pid, out here, of the namespaces' process 1."""
        holder = processes.recorded(launch_record(self.settings))
        inside = processes.children(holder.pid) if holder else []
        if not inside:
            raise ClusterError(
                f"Cluster {self.settings.name} is not running: `cluster/cluster up` starts it."
            )
        return inside[0]

    def programs_path(self) -> Path:
        """Folder of kubectl and helm."""
        return self._programs().bin

    def _start(self, programs: Tools) -> None:
        if self.running():
            self._require_same_run(programs)
            return
        self._stop()
        pki.ensure(self.settings)
        for port in (self.settings.api_port, self.settings.http_port):
            _require_free(port)
        files.remove(self.settings.logs_dir)
        for folder in (self.settings.volatile_dir, self.settings.logs_dir, self.settings.containerd_dir):
            folder.mkdir(parents=True, exist_ok=True)
        files.write(self._run_file(), json.dumps({**self._ports(), "programs": str(programs.root)}))
        environment = {
            **os.environ,
            "PYTHONPATH": str(CLUSTER_DIR),
            "PATH": f"{programs.bin}:{hosttools.search_path()}",
        }
        with component_log(self.settings, "supervisor").open("w") as log:
            subprocess.Popen(
                [sys.executable, "-m", "localcluster.launch"],
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        waiting.until(self.running, 10, lambda: f"the cluster does not start:\n{self._supervisor_log()}")

    def _stop(self) -> None:
        holder = processes.recorded(launch_record(self.settings))
        if holder:
            inside = [processes.identity(pid) for pid in processes.children(holder.pid)]
            for who in (holder, *inside):  # the end of the first is the end of the second
                if who and not processes.end(who, _DOWN_SECONDS):
                    raise ClusterError(f"Process {who.pid} of cluster {self.settings.name} does not end.")
        for path in (launch_record(self.settings), state_file(self.settings), self.settings.volatile_dir):
            files.remove(path)
        namespace.remove_cgroups(self.settings)

    def _import(self, programs: Tools, archives: list[imagebuild.Archive]) -> None:
        store = ImageStore(self.settings, programs, self.enter())
        present = store.digests()
        for archive in archives:
            if present.get(archive.name) != archive.digest:
                store.import_archive(archive.path)

    def _wait_for_deployment(self, deployment: Deployment) -> None:
        self._wait(
            lambda: self._api.deployment_available(deployment.namespace, deployment.name),
            f"Deployment {deployment.namespace}/{deployment.name} does not become available",
        )

    def _wait(self, holds: Callable[[], bool], failure: str) -> None:
        def holds_or_hopeless() -> bool:
            self._raise_if_hopeless()
            return holds()

        waiting.until(holds_or_hopeless, _UP_SECONDS, lambda: f"After {_UP_SECONDS:.0f} s {failure}.")

    def _raise_if_hopeless(self) -> None:
        if not self.running():
            raise ClusterError(f"The cluster ended:\n{self._supervisor_log()}")
        for report in self.reports():
            if report["restarts"] >= _TOO_MANY_RESTARTS and report["state"] != "running":
                end = report["last_end"]
                log = "\n".join(end["log"])
                raise ClusterError(f"{report['name']} keeps dying ({end['how']}). Its last lines:\n{log}")

    def _component_rows(self) -> list[Row]:
        outside = processes.host_pids(self._pid_namespace())
        rows = []
        for report in self.reports():
            up = report["state"] == "running"
            end = report["last_end"] or {"how": "", "log": []}
            waits = f"waiting for {report['waits_for']}" if report["waits_for"] else report["state"]
            rows.append(
                Row(
                    report["name"],
                    up,
                    waits,
                    restarts=report["restarts"],
                    pid=outside.get(report["pid"]),
                    uptime=time.time() - report["since"] if up else None,
                    last_end=end["how"],
                    last_lines=tuple(end["log"]),
                )
            )
        return rows

    def _pid_namespace(self) -> str:
        return str(Path(f"/proc/{self._first_inside()}/ns/pid").readlink())

    def reports(self) -> list[dict[str, Any]]:
        """What the supervisor last said of its components."""
        try:
            found: list[dict[str, Any]] = json.loads(state_file(self.settings).read_text())
        except FileNotFoundError:
            return []
        return found

    def _ports(self) -> dict[str, int]:
        return {"CLUSTER_API_PORT": self.settings.api_port, "CLUSTER_HTTP_PORT": self.settings.http_port}

    def _run_file(self) -> Path:
        return self.settings.volatile_dir / "run.json"

    def _programs(self) -> Tools:
        """The programs the running cluster was started with, even if the present go.mod has others."""
        if self.running():
            return Tools(Path(json.loads(self._run_file().read_text())["programs"]))
        return tools.locate(self.settings)

    def _require_same_run(self, programs: Tools) -> None:
        used = json.loads(self._run_file().read_text())
        if used["programs"] != str(programs.root):
            raise ClusterError(
                f"Cluster {self.settings.name} runs with programs of another cluster/tools: `down` first."
            )
        if any(used[name] != port for name, port in self._ports().items()):
            chosen = " ".join(f"{name}={used[name]}" for name in self._ports())
            raise ClusterError(f"Cluster {self.settings.name} is running with {chosen}: `down` first.")

    def _supervisor_log(self) -> str:
        log = component_log(self.settings, "supervisor")
        return log.read_text()[-_LAST_CHARACTERS:] if log.exists() else ""


def _row(name: str, up: bool, state: str) -> Row:  # noqa: FBT001 - a fact, not an option
    return Row(name, up, state if up else f"not {state}")


def _require_root() -> None:
    if os.geteuid():
        raise ClusterError(
            "The native cluster makes namespaces and mounts, which takes root: run it with sudo,"
            " or start a Docker engine and it is made with kind."
        )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ClusterError(
                f"Port {port} of 127.0.0.1 is in use ({error.strerror});"
                " choose others with CLUSTER_API_PORT and CLUSTER_HTTP_PORT."
            ) from error
