"""Which requests bring bytes of uploads that can be resumed, and how far they are.

A client that vanishes leaves a request behind that waits for the rest. Who goes on with the upload shows that nobody
needs to wait any more.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Arriving:
    """A request that brings bytes of an upload."""

    received: int
    """How much of the upload there is, on the disk or on its way there."""
    _time: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))

    @property
    def ended(self) -> bool:
        """Whether another one took over."""
        return self._time.expired()

    def end(self) -> None:
        """Have it wait for no more."""
        if not self.ended:
            self._time.reschedule(asyncio.get_running_loop().time())

    @contextlib.asynccontextmanager
    async def until_ended(self) -> AsyncIterator[None]:
        """Do what is inside the block until it is done, or until this is ended."""
        try:
            async with self._time:
                yield
        except TimeoutError:
            # A disk may say that as well.
            if not self.ended:
                raise


class Arrivals:
    """The requests that bring bytes now, at most one for each upload."""

    def __init__(self) -> None:
        self._now: dict[str, Arriving] = {}

    @contextlib.asynccontextmanager
    async def arriving(self, upload_id: str, received: int) -> AsyncIterator[Arriving]:
        """Bring bytes inside the block, until another one takes over."""
        arriving = self._now[upload_id] = Arriving(received)
        try:
            async with arriving.until_ended():
                yield arriving
        finally:
            del self._now[upload_id]

    def received(self, upload_id: str) -> int | None:
        """Return how much of an upload there is; None if nothing arrives, so that it is all on the disk."""
        arriving = self._now.get(upload_id)
        return arriving.received if arriving is not None else None

    def take_over(self, upload_id: str) -> None:
        """End the request that brings bytes, if there is one. What it has brought is kept."""
        if upload_id in self._now:
            self._now[upload_id].end()
