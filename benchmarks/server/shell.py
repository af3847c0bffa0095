"""An interactive shell over a WebSocket: how quickly a key is echoed, and what a flood of output does to the server."""

import os
import pty
import time
import tty
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.server.comparison import (
    FLOOR,
    Comparison,
    Unit,
    at_most,
    median,
    nearly_worst,
    typical,
)
from benchmarks.server.contestants import bare_application, servers
from benchmarks.server.probe import probing
from benchmarks.server.running import Running, in_turns, running
from benchmarks.server.socket_shell import SocketShell
from benchmarks.server.tally import Tally

ROUNDS = 5
_ECHOES = 100
_FLOOD_SECONDS = 5.0
_READ_BYTES = 16 * 1024
_PAUSE_SECONDS = 0.05
_READY = b"ready-to-echo"


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Measure who has shells."""
    return [_echo(rounds), *_flood()]


def _echo(rounds: int) -> Comparison:
    """Let `cat` send back each key. The floor is a terminal without a server."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        echoes: dict[str, Callable[[], None]] = {FLOOR: stack.enter_context(_bare_echo())}
        for contestant in servers():
            if contestant.shells:
                server = stack.enter_context(running(contestant))
                echoes[contestant.name] = _prepare_echo(stack.enter_context(SocketShell(server)))
        in_turns(rounds, list(echoes), lambda name: times[name].extend(_time(echoes[name])))
    cells = {name: typical(values) for name, values in times.items()}
    return Comparison("a key echoed by a shell, p50", Unit.SECONDS, cells, (at_most(0.00035, "≤ 0.35 ms"),))


def _prepare_echo(shell: SocketShell) -> Callable[[], None]:
    # Written in two parts, since the shell shows the line itself, too.
    shell.send(b"stty raw -echo; echo ready-''to-echo; exec cat\n")
    shell.read_until(_READY)
    time.sleep(0.2)

    def echo() -> None:
        shell.send(b"k")
        while b"k" not in shell.read():
            pass

    return echo


@contextmanager
def _bare_echo() -> Iterator[Callable[[], None]]:
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("cat", ["cat"])  # noqa: S606 - nothing of anybody's in it
    tty.setraw(terminal)

    def echo() -> None:
        os.write(terminal, b"k")
        os.read(terminal, 16)

    try:
        yield echo
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def _time(echo: Callable[[], None]) -> list[float]:
    echo()
    times = []
    for _ in range(_ECHOES):
        begun = time.perf_counter()
        echo()
        times.append(time.perf_counter() - begun)
    return times


def _flood() -> list[Comparison]:
    """Let `yes` run for a while into a client that reads slowly. The floor for health has nothing else to do."""
    peaks, health = Tally(), Tally()
    for contestant in (bare_application(), *servers()):
        if not contestant.shells:
            continue
        with running(contestant) as server:
            health.attempt(server.name, partial(_asked_while, server))
            if server.name != FLOOR:
                peaks.attempt(server.name, server.peaks)
    return [
        Comparison(
            "`yes` for 5 s in a shell whose client reads slowly: the server's memory, at its peak",
            Unit.BYTES,
            peaks.cells(lambda values: median(values, Unit.BYTES)),
            (at_most(100e6, "bounded: ≤ 100 MB"),),
        ),
        Comparison(
            "`/health` meanwhile, p99",
            Unit.SECONDS,
            health.cells(nearly_worst),
            (at_most(0.020, "no stall: ≤ 20 ms"),),
        ),
    ]


def _asked_while(server: Running) -> list[float]:
    with probing(server.port) as times:
        if server.name == FLOOR:
            time.sleep(_FLOOD_SECONDS)
        else:
            _read_slowly(server)
    return times


def _read_slowly(server: Running) -> None:
    with SocketShell(server, receive_buffer=_READ_BYTES) as shell:
        shell.send(b"yes\n")
        end = time.perf_counter() + _FLOOD_SECONDS
        while time.perf_counter() < end:
            if not shell.receive_raw(_READ_BYTES):
                raise ConnectionError("the connection was closed")
            time.sleep(_PAUSE_SECONDS)
