"""The native backend: one real node in namespaces of this machine, without Docker."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import (
    addons,
    files,
    hosttools,
    imagebuild,
    imagelist,
    processes,
    toolbuild,
    tools,
    waiting,
)
from localcluster.errors import ClusterError
from localcluster.holder import Holder
from localcluster.kubeapi import KubeApi
from localcluster.paths import component_log, lock_file
from localcluster.progress import step
from localcluster.status import Row, Status
from localcluster.store import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localcluster.addons import Deployment
    from localcluster.imagelist import Image
    from localcluster.settings import Settings
    from localcluster.tools import Tools

_UP_SECONDS = 120.0
_HINT = "`cluster/cluster status` and `cluster/cluster logs COMPONENT` tell more."


class Native:
    """One native cluster, running or not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._api = KubeApi(settings.pki_dir, settings.api_port)
        self._holder = Holder(settings)

    def up(self) -> None:
        """Make the cluster run, whatever state it is in; return when it is ready for work."""
        _require_root()
        programs = tools.locate(self.settings)
        building = [hosttools.TOOLS] if tools.missing(programs) else []
        hosttools.require("The native cluster", hosttools.NODE, *building)
        programs = toolbuild.ensure(self.settings)
        archives = imagebuild.ensure_archives(self.settings, imagelist.node_images())
        with files.exclusive(lock_file(self.settings)):
            self._holder.start(programs)
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
            self._holder.stop()

    def status(self) -> Status:
        """Every component as the supervisor sees it, then what only a client can see."""
        running = self._holder.running()
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
        toolbuild.ensure(self.settings)
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
        return [*self._holder.enter(), f"--wd={Path.cwd()}", *command]

    def load(self, image: Image) -> None:
        """Build an image if needed and put it into the node unless that very image is there."""
        [archive] = imagebuild.ensure_archives(self.settings, [image])
        with files.exclusive(lock_file(self.settings)), step(f"load {image.short}"):
            self._import(self._holder.programs(), [archive])

    def programs_path(self) -> Path:
        """Folder of kubectl and helm."""
        return self._holder.programs().bin

    def _import(self, programs: Tools, archives: list[imagebuild.Archive]) -> None:
        store = ImageStore(self.settings, programs, self._holder.enter())
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
            self._holder.raise_if_hopeless()
            return holds()

        waiting.until(holds_or_hopeless, _UP_SECONDS, lambda: f"After {_UP_SECONDS:.0f} s {failure}; {_HINT}")

    def _component_rows(self) -> list[Row]:
        outside = processes.host_pids(self._holder.pid_namespace())
        rows = []
        for report in self._holder.reports():
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


def _row(name: str, up: bool, state: str) -> Row:  # noqa: FBT001 - a fact, not an option
    return Row(name, up, state if up else f"not {state}")


def _require_root() -> None:
    if os.geteuid():
        raise ClusterError(
            "The native cluster makes namespaces and mounts, which takes root: run it with sudo,"
            " or start a Docker engine and it is made with kind."
        )
