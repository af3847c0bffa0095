"""Which ports the programs of this terminal listen on: asked every few seconds by interfaces, so it is kept."""

import asyncio
import time
from collections.abc import Sequence

from terminal_server.ports.table import Listener, Listening, find_own, hosts_of, read_listening

_FRESH_SECONDS = 1.0


class Ports:
    """The listening programs. Whoever asks at the same time shares one look."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._looked_at = float("-inf")
        self._listening: list[Listening] = []
        self._own: list[Listener] = []

    async def own(self) -> Sequence[Listener]:
        """Return the programs of this terminal that listen, by port; one that listens twice is twice there."""
        await self._look(not_before=time.monotonic() - _FRESH_SECONDS)
        return self._own

    async def hosts(self, port: int) -> list[str]:
        """Return the addresses by which a program of this terminal that listens on `port` can be reached now.

        Empty if no such program does. That it does is true at this moment, not only when it was last looked.
        """
        found = self._find(port)
        if found is None:
            await self._look(not_before=time.monotonic())
            found = self._find(port)
        return [] if found is None else hosts_of(found, self._listening)

    def _find(self, port: int) -> Listener | None:
        return next((one for one in self._own if one.port == port and one.is_there()), None)

    async def _look(self, not_before: float) -> None:
        async with self._lock:
            if self._looked_at < not_before:
                begun = time.monotonic()
                self._listening, self._own = await asyncio.to_thread(_look, self._listening, self._own)
                self._looked_at = begun


def _look(before: list[Listening], own: list[Listener]) -> tuple[list[Listening], list[Listener]]:
    """Look again. All processes are searched only if the sockets, or those who have them, are others."""
    now = read_listening()
    if now == before and all(one.is_there() for one in own):
        return now, own
    return now, find_own(now)
