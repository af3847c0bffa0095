"""A file of 500 MB sent to a server and fetched from it, beside a copy of the file."""

import filecmp
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.server.comparison import (
    FLOOR,
    OLD,
    Comparison,
    Unit,
    at_most,
    median,
    times_better_than_best,
)
from benchmarks.server.contestants import KEY, servers
from benchmarks.server.inputs import MEBIBYTE, write_random
from benchmarks.server.running import Running, all_running, in_turns
from benchmarks.server.tally import Tally
from benchmarks.server.wire import request

ROUNDS = 3
_MEBIBYTES = 477
_DEADLINE_SECONDS = 60.0
_BOUNDARY = "the-boundary-of-the-benchmarks"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="sent"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()

_Move = Callable[[Running, Path], float]


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Send in turns, then fetch in turns; the servers are new ones for each."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        source = write_random(Path(folder) / "source", _MEBIBYTES)
        return [
            *_measure("500 MB sent to the server (multipart)", _send, rounds, source),
            *_measure("500 MB fetched from the server", _fetch, rounds, source),
        ]


def _measure(what: str, move: _Move, rounds: int, source: Path) -> list[Comparison]:
    taken, peaks = Tally(), Tally()
    with all_running(servers()) as contestants:
        movers: Sequence[Running | None] = (None, *contestants)

        def measure_one(server: Running | None) -> None:
            if server is None:
                taken.attempt(FLOOR, lambda: [_copy(source)])
            else:
                taken.attempt(server.name, lambda: [move(server, source)])

        in_turns(rounds, movers, measure_one)
        for server in contestants:
            peaks.attempt(server.name, server.peaks)
    return [
        Comparison(
            what,
            Unit.SECONDS,
            taken.cells(lambda values: median(values, Unit.SECONDS)),
            (times_better_than_best(2),),
        ),
        Comparison(
            "the server's memory, at its peak",
            Unit.BYTES,
            peaks.cells(lambda values: median(values, Unit.BYTES)),
            (at_most(80e6, "≤ 80 MB"),),
        ),
    ]


def _copy(source: Path) -> float:
    target = source.with_name("copy")
    begun = time.perf_counter()
    shutil.copyfile(source, target)
    took = time.perf_counter() - begun
    target.unlink()
    return took


def _send(server: Running, source: Path) -> float:
    folder = server.home / "in"
    folder.mkdir(exist_ok=True)
    length = len(_HEAD) + source.stat().st_size + len(_TAIL)
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    head = request("POST", server.contestant.upload(folder), key=KEY, length=length, kind=kind)
    with server.connect(_DEADLINE_SECONDS) as connection, source.open("rb") as file:
        begun = time.perf_counter()
        connection.socket.sendall(head + _HEAD)
        connection.socket.sendfile(file)
        connection.socket.sendall(_TAIL)
        connection.receive().json()
        took = time.perf_counter() - begun
    _compare(source, folder / "sent")
    return took


def _fetch(server: Running, source: Path) -> float:
    kept = server.home / "kept"
    if not kept.exists():
        os.link(source, kept)
    with server.connect(_DEADLINE_SECONDS) as connection:
        if server.name == OLD:
            link = connection.get(f"/files/download/link?path={quote(str(kept))}").json()["url"]
            path = urlsplit(link).path
        else:
            path = f"/files/view?path={quote(str(kept))}"
        target = bytearray(_MEBIBYTES * MEBIBYTE)
        begun = time.perf_counter()
        received = connection.download(path, memoryview(target))
        took = time.perf_counter() - begun
    if received != len(target) or target != source.read_bytes():
        raise RuntimeError(f"{received / 1e6:.0f} MB, not as they were")
    return took


def _compare(source: Path, target: Path) -> None:
    same = filecmp.cmp(source, target, shallow=False)
    target.unlink()
    if not same:
        raise RuntimeError("the file is not as it was")
