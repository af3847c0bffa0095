"""The one process that holds a native cluster: started, found again, asked, entered and ended from outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcluster import files, hosttools, namespace, pki, processes, tools, waiting
from localcluster.errors import ClusterError
from localcluster.paths import component_log, launch_record, state_file
from localcluster.settings import CLUSTER_DIR
from localcluster.tools import Tools

if TYPE_CHECKING:
    from localcluster.settings import Settings

_START_SECONDS = 10.0
_DOWN_SECONDS = 20.0
_TOO_MANY_RESTARTS = 5
_LAST_CHARACTERS = 2000


class Holder:
    """That process of one cluster, alive or not. Whoever starts or stops it holds the cluster's lock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def running(self) -> bool:
        """Whether the cluster's namespaces exist."""
        return processes.recorded(launch_record(self.settings)) is not None

    def start(self, programs: Tools) -> None:
        """Start it, unless it is alive; refuse if it lives with other programs or ports."""
        if self.running():
            self._require_same_run(programs)
            return
        self.stop()
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
        waiting.until(
            self.running, _START_SECONDS, lambda: f"the cluster does not start:\n{self._supervisor_log()}"
        )

    def stop(self) -> None:
        """End it, and remove what belongs to its run only; images and logs stay."""
        holder = processes.recorded(launch_record(self.settings))
        if holder:
            inside = [processes.identity(pid) for pid in processes.children(holder.pid)]
            for who in (holder, *inside):  # the end of the first is the end of the second
                if who and not processes.end(who, _DOWN_SECONDS):
                    raise ClusterError(f"Process {who.pid} of cluster {self.settings.name} does not end.")
        for path in (launch_record(self.settings), state_file(self.settings), self.settings.volatile_dir):
            files.remove(path)
        namespace.remove_cgroups(self.settings)

    def enter(self) -> tuple[str, ...]:
        """What a command needs in front to run inside the cluster's namespaces."""
        target = str(self.first_inside())
        return ("nsenter", "--target", target, "--net", "--mount", "--uts", "--ipc", "--pid")

    def first_inside(self) -> int:
        """Pid, out here, of the namespaces' process 1."""
        holder = processes.recorded(launch_record(self.settings))
        inside = processes.children(holder.pid) if holder else []
        if not inside:
            raise ClusterError(
                f"Cluster {self.settings.name} is not running: `cluster/cluster up` starts it."
            )
        return inside[0]

    def pid_namespace(self) -> str:
        """The namespace that all its processes are in."""
        return str(Path(f"/proc/{self.first_inside()}/ns/pid").readlink())

    def programs(self) -> Tools:
        """The programs the running cluster was started with, even if the present go.mod has others."""
        if self.running():
            return Tools(Path(json.loads(self._run_file().read_text())["programs"]))
        return tools.locate(self.settings)

    def reports(self) -> list[dict[str, Any]]:
        """What the supervisor last said of its components."""
        try:
            found: list[dict[str, Any]] = json.loads(state_file(self.settings).read_text())
        except FileNotFoundError:
            return []
        return found

    def raise_if_hopeless(self) -> None:
        """Raise, with the reason, if the cluster ended or a component of it keeps dying."""
        if not self.running():
            raise ClusterError(f"The cluster ended:\n{self._supervisor_log()}")
        for report in self.reports():
            if report["restarts"] >= _TOO_MANY_RESTARTS and report["state"] != "running":
                end = report["last_end"]
                log = "\n".join(end["log"])
                raise ClusterError(f"{report['name']} keeps dying ({end['how']}). Its last lines:\n{log}")

    def _ports(self) -> dict[str, int]:
        return {"CLUSTER_API_PORT": self.settings.api_port, "CLUSTER_HTTP_PORT": self.settings.http_port}

    def _run_file(self) -> Path:
        return self.settings.volatile_dir / "run.json"

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
