"""Begins to work on one request per pass of the event loop.

When hundreds come at once, whoever comes next would wait until all of them are begun. Probes do not wait at all.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

PROBES = {"/health", "/ready"}
"""What asks again and again whether the server is well."""


class TakeTurns:
    """ASGI middleware: lets one request after the other begin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when it is its turn."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            async with self._turn:
                await asyncio.sleep(0)
        await self.app(scope, receive, send)
