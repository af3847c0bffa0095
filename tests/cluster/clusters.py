"""A cluster driven by the command line, as a person would."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcluster import nodeconfig, processes, settings
from localcluster.paths import launch_record
from localcluster.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcluster.settings import Settings

COMMAND = str(REPOSITORY / "cluster/cluster")


@dataclass
class Cluster:
    """One cluster, up or not."""

    name: str
    api_port: int
    http_port: int
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            **os.environ,
            "CLUSTER_BACKEND": "native",
            "CLUSTER_NAME": self.name,
            "CLUSTER_API_PORT": str(self.api_port),
            "CLUSTER_HTTP_PORT": str(self.http_port),
        }

    @property
    def settings(self) -> Settings:
        """What the command line makes of the environment."""
        return settings.from_environment(self.environment)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a verb and return what became of it."""
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=360,
        )

    def do(self, *arguments: str) -> str:
        """Run a verb that must succeed and return what it prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    def up_in_the_background(self) -> subprocess.Popen[bytes]:
        """Start `up` without waiting for it."""
        return subprocess.Popen(
            [COMMAND, "up"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def rows(self) -> dict[str, dict[str, Any]]:
        """What `status` says of each component."""
        return {row["name"]: row for row in json.loads(self.run("status", "--json").stdout)["rows"]}

    def is_up(self) -> bool:
        """Whether `status` is content."""
        return self.run("status").returncode == 0

    def holder(self) -> int:
        """Pid of the one process whose end is the cluster's."""
        who = processes.recorded(launch_record(self.settings))
        assert who
        return who.pid

    def pid_namespace(self) -> str:
        """The namespace that all processes of the cluster are in."""
        [inside] = processes.children(self.holder())
        return str(Path(f"/proc/{inside}/ns/pid").readlink())

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl, which must succeed."""
        program = next(self.settings.cache.glob("tools-*/bin/kubectl"))
        return subprocess.run(
            [program, "--kubeconfig", str(self.settings.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout

    def restarts(self) -> list[str]:
        """How often each Pod's container was started again."""
        template = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}"
        return self.kubectl("get", "pods", "--all-namespaces", template).split()

    def ctr(self, *arguments: str) -> list[str]:
        """Ask the node's containerd, and return its words."""
        program = str(next(self.settings.cache.glob("tools-*/bin/ctr")))
        where = ("--address", nodeconfig.CONTAINERD_SOCKET, "--namespace", "k8s.io")
        return self.do("exec", "--", program, *where, *arguments).split()

    def pod_processes(self) -> list[str]:
        """The control groups of every process that a Pod of this cluster runs."""
        own = set(processes.host_pids(self.pid_namespace()).values())
        pods = [child for pid in own for child in processes.children(pid) if child not in own]
        groups = []
        for pid in pods:
            with contextlib.suppress(OSError):  # it has ended meanwhile, as probes do
                groups.append(Path(f"/proc/{pid}/cgroup").read_text())
        return [group for group in groups if "/kubepods/" in group]


def eventually(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s not: {what}"
        time.sleep(0.1)
