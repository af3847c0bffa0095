"""Collects what the contestants reach, round by round, and what they failed at."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks.server.comparison import Cell, failed


class Tally:
    """The figures of one line of the table, by contestant."""

    def __init__(self, budget_seconds: float = 20) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)
        self._failures: dict[str, str] = {}
        self._spent: defaultdict[str, float] = defaultdict(float)
        self._budget = budget_seconds

    def attempt(self, name: str, measure: Callable[[], Sequence[float]]) -> None:
        """Measure once more, unless this contestant has failed before or has taken up the time there is for it."""
        if name in self._failures or self._spent[name] > self._budget:
            return
        begun = time.perf_counter()
        try:
            self._values[name] += measure()
        except (OSError, RuntimeError, ValueError) as error:
            self._failures[name] = str(error)
        self._spent[name] += time.perf_counter() - begun

    def cells(self, sum_up: Callable[[Sequence[float]], Cell]) -> dict[str, Cell]:
        """Return a cell for each contestant."""
        reached = {name: sum_up(values) for name, values in self._values.items() if values}
        return reached | {name: failed(reason) for name, reason in self._failures.items()}
