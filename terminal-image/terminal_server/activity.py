"""What keeps a terminal awake: what goes on in it, and when something last did.

Requests, frames of a WebSocket and the ends of commands are moments; a running command, an open cell of a
notebook or a request in flight lasts. Some things cannot tell when they begin, such as a job in a shell: those
are asked.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

Probe = Callable[[], str | None]
"""Says what goes on, for people ("a job runs in shell 1a2b"), or None. It must not block."""


@dataclass(frozen=True)
class State:
    """Whether anything goes on."""

    reasons: tuple[str, ...]
    """What goes on now; empty if nothing does."""
    quiet_seconds: float
    """How long nothing has happened; 0 while something goes on."""
    last: float
    """When something last happened, by the clock."""
    since: datetime
    """The same, by the calendar as it was then."""


class Activity:
    """Collects what happens. For one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.touch()
        self._busy: Counter[str] = Counter()
        self._probes: list[Probe] = []

    def touch(self) -> None:
        """Say that something has happened just now."""
        self._last, self._since = self._clock(), datetime.now(UTC)

    @contextmanager
    def busy(self, what: str, *, touch: bool = True) -> Iterator[None]:
        """Say that `what` ("a command runs") goes on inside the block, and that its end is a moment, if it is."""
        self._busy[what] += 1
        try:
            yield
        finally:
            self._busy[what] -= 1
            self._busy += Counter()
            if touch:
                self.touch()

    def ask(self, probe: Probe) -> None:
        """Have `probe` asked whenever somebody wants to know."""
        self._probes.append(probe)

    def state(self) -> State:
        """Return what goes on now, and since when nothing has."""
        asked = [answer for probe in self._probes if (answer := probe()) is not None]
        reasons = (*sorted(self._busy), *asked)
        if reasons:
            self.touch()
        return State(
            reasons=reasons, quiet_seconds=self._clock() - self._last, last=self._last, since=self._since
        )
