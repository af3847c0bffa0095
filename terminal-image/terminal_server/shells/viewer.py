"""Stands between a shell and the connection that shows it: takes what is printed, as fast as that is sent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True)
class End:
    """Why a connection is closed: a WebSocket's code, and a reason for people."""

    code: int
    reason: str


class Viewer:
    """What waits to be sent over one connection."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        self._on_room = on_room
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self.end: End | None = None
        """Set when nothing will come any more."""

    @property
    def is_full(self) -> bool:
        """Whether so much waits that the shell should rest until there is room."""
        return self._size >= _LIMIT_BYTES

    def feed(self, data: bytes) -> None:
        """Take output."""
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()

    def finish(self, end: End) -> None:
        """Say that what waits is the last; the first reason counts."""
        self.end = self.end or end
        self._news.set()

    async def take(self) -> bytes:
        """Return all that waits, as soon as there is something; nothing when there will be no more."""
        if not self._waiting and self.end is None:
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._on_room()
        return data
