"""Becomes the one process that holds a native cluster, and whose end ends all of it.

`up` starts this module in a session of its own. It writes down who it is before anything else exists,
so a cluster is on record however early `up` is killed; then it turns into `unshare`, which keeps the
pid, makes the namespaces and starts the supervisor as their process 1 (--kill-child: both die together).
"""

from __future__ import annotations

import fcntl
import os
import sys
from typing import TYPE_CHECKING

from localcluster import processes, settings
from localcluster.paths import launch_record

if TYPE_CHECKING:
    from localcluster.settings import Settings

HOST_NETWORK_VARIABLE = "CLUSTER_HOST_NETWORK_FD"
_UNSHARE = (
    *("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"),
    "--kill-child=SIGKILL",
)


def main() -> None:
    """Record, then become `unshare`; does not return."""
    chosen = settings.from_environment(os.environ)
    _be_the_only_one(chosen)
    me = processes.identity(os.getpid())
    if me is None:
        raise AssertionError("this process is alive")
    processes.record(launch_record(chosen), me)
    # The supervisor needs a way back to the machine's network for the one component that joins the two.
    host_network = os.open("/proc/self/ns/net", os.O_RDONLY)
    os.set_inheritable(host_network, True)  # noqa: FBT003 - the only form there is
    os.environ[HOST_NETWORK_VARIABLE] = str(host_network)
    command = [*_UNSHARE, sys.executable, "-m", "localcluster.supervisor"]
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


def _be_the_only_one(chosen: Settings) -> None:
    """Hold a lock for as long as the cluster lives: the descriptor outlasts the change into `unshare`."""
    chosen.cluster_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(chosen.cluster_dir / "holder.lock", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"cluster {chosen.name} is held by another process already") from None
    os.set_inheritable(lock, True)  # noqa: FBT003 - the only form there is


if __name__ == "__main__":
    main()
