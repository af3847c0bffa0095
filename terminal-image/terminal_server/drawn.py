"""Answers whose pieces are made while they are sent, by what may block."""

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class DrawnResponse(StreamingResponse):
    """Sends what a generator yields; each piece is drawn in a thread. The generator is closed, however that ends.

    What is left unfinished is closed by the collector of garbage: at any time, in any order, with no way to fail.
    """

    def __init__(self, pieces: Generator[bytes, None, None], **options: Any) -> None:
        self._drawn = _Drawn(pieces)
        super().__init__(self._drawn, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._drawn.close())


class _Drawn(AsyncIterator[bytes]):
    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces = pieces
        self._drawing: asyncio.Future[bytes | None] | None = None

    async def __anext__(self) -> bytes:
        while (piece := await self._draw()) is not None:
            if piece:
                return piece
        raise StopAsyncIteration

    async def _draw(self) -> bytes | None:
        self._drawing = asyncio.get_running_loop().run_in_executor(None, next, self._pieces, None)
        # Who gives up waiting must not take it for ended: it cannot be closed while it makes a piece.
        return await asyncio.shield(self._drawing)

    async def close(self) -> None:
        if self._drawing is not None:
            await asyncio.wait([self._drawing])
        await asyncio.to_thread(self._pieces.close)
