"""What one command costs: `/execute` of `true` by one client, one after the other."""

import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.server import comparison
from benchmarks.server.comparison import FLOOR, NEW, US, Comparison, Unit, of_floor_at_most, times_better_than
from benchmarks.server.contestants import KEY, servers
from benchmarks.server.running import Running, all_running, in_turns
from benchmarks.server.wire import Connection, request

ROUNDS = 6
_CALLS = 50
_AIMS = (of_floor_at_most(2.5), times_better_than(NEW, 2.5))
_OLD_CONTRACT = "contract 1"
_NEW_CONTRACT = "contract 2"


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Time each in turns."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    with all_running(servers()) as contestants, ExitStack() as stack:
        calls: dict[str, Callable[[], None]] = {FLOOR: _spawn}
        for server in contestants:
            connection = stack.enter_context(server.connect())
            for name, path, body in _variants(server):
                calls[name] = partial(_call, connection, request("POST", path, key=KEY, body=body))
        in_turns(rounds, list(calls), lambda name: times[name].extend(_time(calls[name])))
    cells = {name: comparison.typical(values) for name, values in times.items()}
    return [
        Comparison(
            f"`/execute` of `true`, one client, p50; us by {contract}",
            Unit.SECONDS,
            cells | {US: cells[contract]},
            _AIMS,
        )
        for contract in (_OLD_CONTRACT, _NEW_CONTRACT)
    ]


def _variants(server: Running) -> list[tuple[str, str, object]]:
    """Return a name, a call and a body for each contract that a server is measured by."""
    body = {"command": "true"}
    if server.name != US:
        return [(server.name, server.contestant.execute, body)]
    return [
        (_OLD_CONTRACT, "/execute", {**body, "timeout": 30}),
        (_NEW_CONTRACT, server.contestant.execute, body),
    ]


def _time(call: Callable[[], None]) -> list[float]:
    call()
    times = []
    for _ in range(_CALLS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return times


def _call(connection: Connection, sent: bytes) -> None:
    if connection.exchange(sent).json()["exit_code"] != 0:
        raise RuntimeError("the command failed")


def _spawn() -> None:
    process = os.posix_spawn("/bin/sh", ["sh", "-c", "true"], os.environ)
    os.waitpid(process, 0)
