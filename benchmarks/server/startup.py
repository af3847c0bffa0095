"""How long a server takes until it answers, and how much memory it takes while nothing happens."""

import time

from benchmarks.server.comparison import Comparison, Unit, median, of_floor_at_most
from benchmarks.server.contestants import Contestant, bare_application, servers
from benchmarks.server.running import in_turns, running
from benchmarks.server.tally import Tally

ROUNDS = 7
_SETTLE_SECONDS = 0.5


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Start each in turns; once before, so that what is compiled at the first start is there."""
    contestants = (bare_application(), *servers())
    for contestant in contestants:
        with running(contestant):
            pass
    starts, memories = Tally(60), Tally(60)

    def measure_one(contestant: Contestant) -> None:
        with running(contestant) as server:
            starts.attempt(server.name, lambda: [server.started_seconds])
            time.sleep(_SETTLE_SECONDS)
            memories.attempt(server.name, lambda: [server.memory()])

    in_turns(rounds, contestants, measure_one)
    aims = (of_floor_at_most(1.3),)
    return [
        Comparison(
            "start of the process to the first answer of `/health`",
            Unit.SECONDS,
            starts.cells(lambda values: median(values, Unit.SECONDS)),
            aims,
        ),
        Comparison(
            "memory when idle",
            Unit.BYTES,
            memories.cells(lambda values: median(values, Unit.BYTES)),
            aims,
        ),
    ]
