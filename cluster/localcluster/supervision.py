"""Keeps components running: starts each when what it waits for holds, again with patience when it dies.

Decisions only: starting processes, asking what holds, saving and the clock are handed in.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from localcluster.components import After

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localcluster.components import Component

FIRST_BACKOFF = 0.2
LONGEST_BACKOFF = 10.0
HEALTHY_AFTER = 30.0
_POLL = 0.05
_IDLE = 5.0


@dataclass
class Run:
    """One component and what has become of it."""

    component: Component
    state: str = "waiting"
    pid: int | None = None
    restarts: int = 0
    backoff: float = FIRST_BACKOFF
    due: float = 0.0
    since: float = 0.0
    ends: list[dict[str, Any]] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """What `status` shows of it."""
        waits = self.component.after.value if self.state == "waiting" else ""
        return {
            "name": self.component.name,
            "state": self.state,
            "waits_for": waits,
            "pid": self.pid,
            "restarts": self.restarts,
            "since": self.since,
            "last_end": self.ends[-1] if self.ends else None,
        }


class Supervision:
    """All components of one node."""

    def __init__(
        self,
        components: Iterable[Component],
        *,
        start: Callable[[Component], int],
        holds: Callable[[After], bool],
        last_lines: Callable[[Component], list[str]],
        clock: Callable[[], float],
    ) -> None:
        self.runs = [Run(component) for component in components]
        self._start = start
        self._holds = holds
        self._last_lines = last_lines
        self._clock = clock
        self._held: set[After] = {After.NOTHING}

    def tick(self) -> bool:
        """Start whatever is due; tell whether anything changed."""
        changed = False
        for run in self.runs:
            if run.state == "running" or not self._due(run):
                continue
            run.restarts += run.state == "backoff"
            run.pid = self._start(run.component)
            run.state, run.since = "running", self._clock()
            changed = True
        return changed

    def ended(self, pid: int, status: int) -> bool:
        """Take note that a process ended; tell whether it was a component."""
        run = next((run for run in self.runs if run.pid == pid), None)
        if run is None:
            return False
        now = self._clock()
        if now - run.since >= HEALTHY_AFTER:
            run.backoff = FIRST_BACKOFF
        run.ends = [{"how": how_it_ended(status), "at": now, "log": self._last_lines(run.component)}]
        run.state, run.pid, run.since, run.due = "backoff", None, now, now + run.backoff
        run.backoff = min(run.backoff * 2, LONGEST_BACKOFF)
        return True

    def pause(self) -> float:
        """Seconds until there may be something to do, if nothing ends before."""
        if any(run.state == "waiting" for run in self.runs):
            return _POLL
        due = [run.due - self._clock() for run in self.runs if run.state == "backoff"]
        return max(0.0, min([*due, _IDLE]))

    def report(self) -> list[dict[str, Any]]:
        """What `status` shows."""
        return [run.report() for run in self.runs]

    def _due(self, run: Run) -> bool:
        if run.state == "backoff":
            return self._clock() >= run.due
        after = run.component.after
        if after not in self._held and self._holds(after):
            self._held.add(after)
        return after in self._held


def how_it_ended(status: int) -> str:
    """A wait status in words."""
    code = status_code(status)
    if code >= 0:
        return f"exited with status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def status_code(status: int) -> int:
    """Exit status, or the signal's number below zero."""
    killed_by = status & 0x7F
    return -killed_by if killed_by else status >> 8
