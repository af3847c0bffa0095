"""Many commands at once, and how quickly the server says meanwhile that it is healthy."""

import os
import time
from collections.abc import Callable

from benchmarks.server.comparison import (
    FLOOR,
    NEW,
    Comparison,
    Unit,
    at_most,
    median,
    nearly_worst,
    times_better_than,
)
from benchmarks.server.contestants import KEY, bare_application, servers
from benchmarks.server.crowd import Crowd
from benchmarks.server.probe import probing
from benchmarks.server.running import Running, all_running, in_turns
from benchmarks.server.tally import Tally
from benchmarks.server.wire import request

ROUNDS = 3
_CLIENTS = 16
_SECONDS = 3.0
_AT_ONCE = 200
_BURSTS = 3
_DEADLINE_SECONDS = 30.0


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Load each in turns. The floor starts as many processes itself, while the bare application is asked."""
    with all_running((bare_application(), *servers())) as contestants:
        return [
            *_measure(rounds, contestants, f"{_CLIENTS} clients", _steady),
            *_measure(rounds, contestants, f"{_AT_ONCE} at once", _at_once),
        ]


def _measure(
    rounds: int, contestants: list[Running], what: str, load: Callable[[Running], list[float]]
) -> list[Comparison]:
    rates, health = Tally(), Tally()

    def measure_one(server: Running) -> None:
        asked: list[float] = []

        def loaded() -> list[float]:
            with probing(server.port) as times:
                reached = load(server)
            asked.extend(times)
            return reached

        rates.attempt(server.name, loaded)
        health.attempt(server.name, lambda: asked)

    in_turns(rounds, contestants, measure_one)
    return [
        Comparison(
            f"`/execute` of `true`, {what}",
            Unit.RATE,
            rates.cells(lambda values: median(values, Unit.RATE)),
            (times_better_than(NEW, 4),),
        ),
        Comparison(
            "`/health` meanwhile, p99",
            Unit.SECONDS,
            health.cells(nearly_worst),
            (at_most(0.020, "≤ 20 ms"),),
        ),
    ]


def _steady(server: Running) -> list[float]:
    if server.name == FLOOR:
        return [_spawn_rate(_CLIENTS, _SECONDS)]
    with _crowd(server, _CLIENTS) as crowd:
        return [crowd.rate(_SECONDS)]


def _at_once(server: Running) -> list[float]:
    if server.name == FLOOR:
        return [_spawn_rate(_AT_ONCE, 0) for _ in range(_BURSTS)]
    with _crowd(server, _AT_ONCE) as crowd:
        return [_AT_ONCE / crowd.all_at_once() for _ in range(_BURSTS)]


def _crowd(server: Running, clients: int) -> Crowd:
    sent = request("POST", server.contestant.execute, key=KEY, body={"command": "true"})
    return Crowd(server.port, clients=clients, sent=sent, seconds=_DEADLINE_SECONDS)


def _spawn_rate(at_once: int, seconds: float) -> float:
    """Return how many processes can be started and waited for per second, so many at the same time."""
    begun = time.perf_counter()
    living = {_spawn() for _ in range(at_once)}
    ended = 0
    while living:
        # Not just any child: the process that asks for the health is one, too.
        process = next(iter(living))
        os.waitpid(process, 0)
        living.remove(process)
        ended += 1
        if time.perf_counter() < begun + seconds:
            living.add(_spawn())
    return ended / (time.perf_counter() - begun)


def _spawn() -> int:
    return os.posix_spawn("/bin/sh", ["sh", "-c", "true"], os.environ)
