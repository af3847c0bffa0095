"""How the server ends: told to, or by itself when nothing has happened for long.

An idle server ends in two steps, because those who send it requests learn late that it is going. First it says,
at `/ready`, that it is not, and goes on serving. When that time has passed too without anything happening, it
ends; the reason is written where a kubelet reads it. In the step of the event loop that sees this, it begins to
refuse what comes: nothing is taken that would be ended at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path

from terminal_server.activity import Activity

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_LAST_SECONDS = 10.0
"""A disk that does not answer must not keep an idle server."""


class Phase(Enum):
    """Where in its life the server is."""

    READY = "ready"
    DRAINING = "draining"
    """Idle, and about to end unless something happens."""
    STOPPING = "stopping"
    """What runs is ended, and nothing new begins. No other phase follows."""


class Lifecycle:
    """The server's phase, and what has to be done before it ends."""

    def __init__(self) -> None:
        self.phase = Phase.READY
        self.end: Callable[[], None] = lambda: None
        """Ends the server; set by what runs it."""
        self._before_stop: list[Callable[[], Awaitable[None]]] = []
        self._stopping: asyncio.Task[None] | None = None

    def pass_on_to(self, phase: Phase) -> None:
        """Begin another phase, unless the last one has begun."""
        if self.phase is not Phase.STOPPING:
            self.phase = phase

    def before_stop(self, act: Callable[[], Awaitable[None]]) -> None:
        """Have `act` done when the server stops, after those that were named before."""
        self._before_stop.append(act)

    async def stop(self) -> None:
        """Do what has to be done before the end: once, and all who ask wait for it."""
        self.phase = Phase.STOPPING
        self._stopping = self._stopping or asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        for act in self._before_stop:
            try:
                await act()
            except Exception:
                log.exception("something could not be ended")


class IdleWatch:
    """Ends a server in which nothing happens."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        activity: Activity,
        *,
        idle_seconds: float,
        drain_seconds: float,
        termination_file: Path,
    ) -> None:
        self._lifecycle = lifecycle
        self._activity = activity
        self._idle_seconds = idle_seconds
        self._drain_seconds = drain_seconds
        self._termination_file = termination_file

    async def run(self) -> None:
        """Watch until the server has been told to end. Returns at once if there is no limit."""
        if self._idle_seconds == 0:
            return
        while not await self._drained():
            pass
        if self._lifecycle.phase is Phase.STOPPING:
            return
        reason = f"idle: nothing has happened for {self._activity.state().quiet_seconds:.0f} s"
        log.info("the server ends, %s", reason)
        noting = asyncio.create_task(asyncio.to_thread(_note, self._termination_file, reason))
        # Not every place has such a file, and none is made. The time may be over as well.
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_LAST_SECONDS):
                # Nothing may come between the last look and this: who is not seen by the one is refused by the other.
                await self._lifecycle.stop()
                await noting
        self._lifecycle.end()

    async def _idle(self) -> None:
        while True:
            missing = self._idle_seconds - self._activity.state().quiet_seconds
            if missing <= 0:
                return
            await asyncio.sleep(min(missing, _LOOK_SECONDS))

    async def _drained(self) -> bool:
        """Wait for idleness, say that the end is near, and return whether nothing happened until then."""
        await self._idle()
        begun = self._activity.state()
        self._lifecycle.pass_on_to(Phase.DRAINING)
        log.info("idle for %.0f s: not ready any more", begun.quiet_seconds)
        while True:
            now = self._activity.state()
            if now.last != begun.last:
                self._lifecycle.pass_on_to(Phase.READY)
                log.info("something happened: ready again")
                return False
            missing = begun.quiet_seconds + self._drain_seconds - now.quiet_seconds
            if missing <= 0:
                return True
            await asyncio.sleep(min(missing, _LOOK_SECONDS))


def _note(path: Path, text: str) -> None:
    if path.is_file():
        path.write_text(text)
