"""Process 1 of a native cluster: makes the node, starts its components and keeps them running.

When it ends, the kernel ends every component, container, mount and address with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import components, files, hosttools, namespace, nodeconfig, settings, tools
from localcluster.addresses import API_PORT
from localcluster.components import After
from localcluster.kubeapi import KubeApi
from localcluster.launch import HOST_NETWORK_VARIABLE
from localcluster.paths import component_log, state_file
from localcluster.store import ImageStore
from localcluster.supervision import Supervision

if TYPE_CHECKING:
    from localcluster.components import Component
    from localcluster.settings import Settings

_LAST_LINES = 15
_LOG_LIMIT = 64 * 2**20
_STANDARD_ERROR = 2
_HOST_NETWORK_FD = 3  # in the one child that gets it


class Node:
    """What the supervision needs from the real world."""

    def __init__(self, chosen: Settings, host_network: int) -> None:
        self._settings = chosen
        self._host_network = host_network
        self._api = KubeApi(chosen.pki_dir, API_PORT, timeout=1.0)
        self._environment = {**os.environ, "PATH": hosttools.search_path()}

    def start(self, component: Component) -> int:
        """Start a component with its output going to its log; return its pid in this namespace."""
        argv = list(component.argv)
        log = str(component_log(self._settings, component.name))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        if component.on_host_network:
            actions.append((os.POSIX_SPAWN_DUP2, self._host_network, _HOST_NETWORK_FD))
            argv = ["nsenter", f"--net=/proc/self/fd/{_HOST_NETWORK_FD}", *argv]
        return os.posix_spawnp(
            argv[0], argv, self._environment, file_actions=actions, setpgroup=0, setsigdef=[signal.SIGPIPE]
        )

    def holds(self, after: After) -> bool:
        """Whether what a component waits for has come about."""
        if after is After.CONTAINERD:
            return Path(nodeconfig.CONTAINERD_SOCKET).exists()
        if after is After.API:
            return self._api.ready()
        if after is After.NODE:
            return self._api.get(f"/api/v1/nodes/{self._settings.node_name}") is not None
        return True

    def last_lines(self, component: Component) -> list[str]:
        """The end of a component's log: usually why it died."""
        with contextlib.suppress(OSError), component_log(self._settings, component.name).open() as log:
            return [line.rstrip() for line in deque(log, _LAST_LINES)]
        return []

    def trim_logs(self) -> None:
        """Empty a log that has grown beyond its limit (its writer appends, so it goes on at 0)."""
        for log in self._settings.logs_dir.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT:
                os.truncate(log, 0)


def main() -> None:
    """Run until told to end."""
    chosen = settings.from_environment(os.environ)
    programs = tools.locate(chosen)
    host_network = int(os.environ.pop(HOST_NETWORK_VARIABLE))
    _keep_descriptors()
    namespace.prepare(chosen, programs)
    ImageStore(chosen, programs).drop_containers()
    _supervise(chosen, Node(chosen, host_network), components.node_components(chosen, programs))


def _keep_descriptors() -> None:
    """Pass on to components none of what came from `launch`: the way to the machine's network, the lock."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - numbers, not paths
        with contextlib.suppress(OSError):  # the one that listed them is closed by now
            if descriptor > _STANDARD_ERROR:
                os.set_inheritable(descriptor, False)  # noqa: FBT003 - the only form there is


def _supervise(chosen: Settings, node: Node, wanted: tuple[Component, ...]) -> None:
    supervision = Supervision(
        wanted, start=node.start, holds=node.holds, last_lines=node.last_lines, clock=time.time
    )
    wake = _wake_on_signals()
    while True:
        changed = [supervision.ended(pid, status) for pid, status in _reaped()]
        if supervision.tick() or any(changed):
            files.write(state_file(chosen), json.dumps(supervision.report(), indent=1) + "\n")
        if select.select([wake], [], [], supervision.pause())[0] and signal.SIGTERM in os.read(wake, 4096):
            return
        node.trim_logs()


def _wake_on_signals() -> int:
    """A descriptor that becomes readable when a child ends or SIGTERM comes."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _reaped() -> list[tuple[int, int]]:
    """Every child that has ended, the orphans that come to process 1 included."""
    found = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(ended)
    return found


if __name__ == "__main__":
    main()
