"""Becomes the one process that holds a native cluster, and whose end ends all of it.

`up` starts this module in a session of its own. It writes down who it is before anything else exists,
so a cluster is on record however early `up` is killed; then it turns into `unshare`, which keeps the
pid, makes the namespaces and starts the supervisor as their process 1 (--kill-child: both die together).
"""

from __future__ import annotations

import os
import sys

from localcluster import processes, settings
from localcluster.paths import launch_record

HOST_NETWORK_VARIABLE = "CLUSTER_HOST_NETWORK_FD"
_UNSHARE = (
    *("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"),
    "--kill-child=SIGKILL",
)


def main() -> None:
    """Record, then become `unshare`; does not return."""
    chosen = settings.from_environment(os.environ)
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


if __name__ == "__main__":
    main()
