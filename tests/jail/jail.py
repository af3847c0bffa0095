"""Runs the server where nothing a test has it do can harm this machine: no files, processes or network of it are there.

Of the calling thread only the network is changed: what it connects to is the server, and nothing else is there.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import KEY, WATCHED, Server, running

_NEW_PROCESSES = 0x20000000
_NEW_NETWORK = 0x40000000
_ENTER = Path(__file__).with_name("enter.sh")
_REPOSITORY = Path(__file__).parents[2]
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def jailed(folder: Path, **variables: str) -> Iterator[Server]:
    """Run a server as `running` does, but as nobody, in a network and a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can make the namespaces that keep this machine safe from what is tried here")
    root = folder / "root"
    root.mkdir(parents=True)
    home = folder / "home"
    seen = dict.fromkeys(map(str, (_REPOSITORY, Path(sys.base_prefix), Path(sys.prefix))))
    wrap = ("unshare", "--mount", "--ipc", "--uts", str(_ENTER), str(root), str(home), *seen, "--")
    with network_of_its_own(), contextlib.ExitStack() as stack:
        with processes_of_their_own():
            server = stack.enter_context(running(folder, key=KEY, wrap=wrap, program=WATCHED, **variables))
        yield server


@contextlib.contextmanager
def network_of_its_own() -> Iterator[None]:
    """Give this thread, and what it starts, a network with a loopback and nothing else."""
    with _namespace("/proc/thread-self/ns/net", _NEW_NETWORK):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield


@contextlib.contextmanager
def processes_of_their_own() -> Iterator[None]:
    """Make the next process this thread starts the first of a world of its own, which ends with it.

    Meanwhile this process can start no thread.
    """
    with _namespace("/proc/self/ns/pid", _NEW_PROCESSES):
        yield


@contextlib.contextmanager
def _namespace(path: str, kind: int) -> Iterator[None]:
    with Path(path).open("rb") as outside:
        _check(_libc.unshare(kind))
        try:
            yield
        finally:
            _check(_libc.setns(outside.fileno(), kind))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
