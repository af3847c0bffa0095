"""One line per request, without anything that is secret: no query, no headers, no token of a link."""

import logging
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("terminal_server.access")

_TOKEN = re.compile(r"(/files/(?:upload|download)/)(?!link$).+", re.DOTALL)


def shown(path: str) -> str:
    """Return a path as it may stand in a log: the token of a link left out, one line, not long."""
    return ascii(_TOKEN.sub(r"\1***", path)[:200])[1:-1]


class AccessLog:
    """ASGI middleware: logs method, path, status and duration of every request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log how it ended; status 0 if there was no answer."""
        if scope["type"] != "http" or scope["path"] == "/health":
            await self.app(scope, receive, send)
            return
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self.app(scope, receive, watch)
        finally:
            milliseconds = (time.perf_counter() - begun) * 1000
            log.info("%s %s %d %.1fms", scope["method"], shown(scope["path"]), status, milliseconds)
