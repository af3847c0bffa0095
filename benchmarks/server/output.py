"""A command that prints 283 MB: how long it takes until all of it is with the client, and how much memory that took.

The floor is the same command whose output is read through a pipe and thrown away. What a client got is compared
with what the command prints, after the time was taken.
"""

import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server.comparison import (
    FLOOR,
    NEW,
    OLD,
    US,
    Comparison,
    Unit,
    at_most,
    median,
    of_floor_at_most,
)
from benchmarks.server.contestants import Contestant, servers
from benchmarks.server.inputs import write_random
from benchmarks.server.running import Running, in_turns, running
from benchmarks.server.tally import Tally
from benchmarks.server.wire import Answer

ROUNDS = 3
_MEBIBYTES = 200
_DEADLINE_SECONDS = 60.0
_WRITTEN_SECONDS = 1.0
_PIPE_BYTES = 128 * 1024


@dataclass(frozen=True)
class _Way:
    """A way to get a command's output: who offers it, how it is called, and how the output is read from the answer."""

    what: str
    contestants: tuple[str, ...]
    path: Callable[[Contestant], str]
    body: dict[str, object]
    read: Callable[[Answer], bytes]


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Let each print in turns, in every way it offers."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        source = write_random(Path(folder) / "random", _MEBIBYTES)
        expected = hashlib.sha256(subprocess.run(_command(source), capture_output=True, check=True).stdout)
        return [row for way in _WAYS for row in _measure(way, rounds, source, expected.digest())]


def _measure(way: _Way, rounds: int, source: Path, expected: bytes) -> list[Comparison]:
    """Measure one way, each server being a new one that has not had to do with output before."""
    taken, peaks = Tally(), Tally()

    def measure_one(name: str) -> None:
        if name == FLOOR:
            taken.attempt(name, lambda: [_floor(source)])
            return
        contestant = next(each for each in servers() if each.name == name)
        with running(contestant) as server:
            taken.attempt(name, lambda: [_print(server, way, source, expected)])
            peaks.attempt(name, server.peaks)

    in_turns(rounds, (FLOOR, *way.contestants), measure_one)
    return [
        Comparison(
            way.what,
            Unit.SECONDS,
            taken.cells(lambda values: median(values, Unit.SECONDS)),
            (of_floor_at_most(1.5),),
        ),
        Comparison(
            "the server's memory, at its peak",
            Unit.BYTES,
            peaks.cells(lambda values: median(values, Unit.BYTES)),
            (at_most(100e6, "≤ 100 MB"),),
        ),
    ]


def _command(source: Path) -> list[str]:
    return ["base64", str(source)]


def _floor(source: Path) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(_command(source), stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RuntimeError("there is a pipe to it")
        while os.read(process.stdout.fileno(), _PIPE_BYTES):
            pass
    return time.perf_counter() - begun


def _print(server: Running, way: _Way, source: Path, expected: bytes) -> float:
    with server.connect(_DEADLINE_SECONDS) as connection:
        body = {"command": " ".join(_command(source)), **way.body}
        begun = time.perf_counter()
        answer = connection.post(way.path(server.contestant), body)
        took = time.perf_counter() - begun
    output = way.read(answer)
    if hashlib.sha256(output).digest() != expected:
        raise RuntimeError(f"{len(output) / 1e6:.0f} MB of it after {took:.1f} s")
    return took


def _read_whole(answer: Answer) -> bytes:
    return str(answer.json()["stdout"]).encode()


def _read_stream(answer: Answer) -> bytes:
    lines = map(json.loads, answer.body.splitlines())
    return "".join(line["data"] for line in lines if line["type"] == "stdout").encode()


def _read_kept(answer: Answer) -> bytes:
    """Return what the answer has of the output, or if that is not all, what its log has."""
    told = answer.json()
    if told.get("status") != "done":
        raise RuntimeError("it was not done in time")
    if not told["truncated"]:
        # A terminal, which a peer runs commands in, ends its lines in two characters.
        return "".join(entry["data"] for entry in told["output"]).replace("\r\n", "\n").encode()
    time.sleep(_WRITTEN_SECONDS)
    log = Path(told["log_path"]).read_bytes()
    if not log.startswith(b"{"):
        return log
    lines = map(json.loads, log.splitlines())
    return "".join(line["data"] for line in lines if "data" in line).replace("\r\n", "\n").encode()


_WAYS = (
    _Way(
        "283 MB of output, in one answer",
        (OLD, US),
        lambda _: "/execute",
        {"timeout": 120},
        _read_whole,
    ),
    _Way(
        "283 MB of output, as a stream",
        (OLD, US),
        lambda _: "/execute?stream=true",
        {"timeout": 120},
        _read_stream,
    ),
    _Way(
        "283 MB of output, by contract 2: in the answer or its log",
        (NEW, US),
        lambda contestant: contestant.execute,
        {},
        _read_kept,
    ),
)
