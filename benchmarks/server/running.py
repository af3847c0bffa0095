"""Starts a contestant as a process of its own, on a loopback port, with a home of its own."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from benchmarks.server.contestants import KEY, Contestant
from benchmarks.server.wire import Connection

T = TypeVar("T")
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    contestant: Contestant
    port: int
    process: subprocess.Popen[bytes]
    home: Path
    started_seconds: float
    """How long it took from its start to its first answer."""

    @property
    def name(self) -> str:
        """Whose it is."""
        return self.contestant.name

    def connect(self, seconds: float = 30) -> Connection:
        """Return a connection to it, with the key, whose every wait ends after some seconds."""
        return Connection(self.port, key=KEY, seconds=seconds)

    def peaks(self) -> list[float]:
        """Return the most memory the server's process ever had, in bytes."""
        return [_memory(self.process.pid, "VmHWM")]

    def memory(self) -> float:
        """Return the memory the server's process and its children have, in bytes."""
        # A child belongs to the thread that started it.
        lists = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(word) for path in lists for word in path.read_text().split()]
        return sum(_memory(pid, "VmRSS") for pid in (self.process.pid, *children))


@contextlib.contextmanager
def running(contestant: Contestant) -> Iterator[Running]:
    """Run a server until the end of the block."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        begun = time.perf_counter()
        process = _start(contestant, port, home)
        try:
            _wait_for_health(process, port)
            yield Running(contestant, port, process, home, time.perf_counter() - begun)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def all_running(contestants: Sequence[Contestant]) -> Iterator[list[Running]]:
    """Run several servers until the end of the block."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(running(contestant)) for contestant in contestants]


def in_turns(rounds: int, servers: Sequence[T], measure: Callable[[T], None]) -> None:
    """Measure each in every round, and let each be the first in turn: a slow moment of the machine hits all."""
    for turn in range(rounds):
        start = turn % len(servers)
        for server in (*servers[start:], *servers[:start]):
            measure(server)


def _start(contestant: Contestant, port: int, home: Path) -> subprocess.Popen[bytes]:
    passed_on = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    environment = passed_on | {"HOME": str(home), "OPEN_TERMINAL_API_KEY": KEY} | contestant.variables
    with (home.parent / "log").open("wb") as log:
        return subprocess.Popen(
            [*contestant.command, str(port)],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _wait_for_health(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended at its start")
        with contextlib.suppress(OSError), Connection(port, seconds=_START_SECONDS) as connection:
            if connection.get("/health").status == HTTPStatus.OK:
                return
        time.sleep(0.002)
    raise TimeoutError(f"{process.args!r} did not answer in time")


def _memory(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) * 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
