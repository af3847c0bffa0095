"""Watches every request from its beginning to its end, and tells those who log and count.

Each has an id, the client's if that is a plain word: it is in the answer, and in every log line of the request.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terminal_server.logs import request_id
from terminal_server.middleware.turns import PROBES

log = logging.getLogger("terminal_server.access")

_HEADER = "X-Request-Id"
_WORD = re.compile(r"[\w.-]{1,64}", re.ASCII)
_TOKEN = re.compile(r"(/files/(?:upload|download)/)(?!link$).+", re.DOTALL)


@dataclass(frozen=True)
class Seen:
    """One request, ended."""

    method: str
    path: str
    route: str
    """The pattern of the route that answered, such as `/execute/{id}/status`; empty if none did."""
    status: int
    """0 if there was no answer."""
    seconds: float


Observer = Callable[[Seen], None]


class Observe:
    """ASGI middleware: tells observers of every request, when it has ended."""

    def __init__(self, app: ASGIApp, *, observers: Sequence[Observer]) -> None:
        self.app = app
        self.observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and tell how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        given = Headers(scope=scope).get(_HEADER, "")
        name = given if _WORD.fullmatch(given) else secrets.token_hex(8)
        request_id.set(name)

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[_HEADER] = name
            await send(message)

        begun = time.perf_counter()
        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "")
            seen = Seen(scope["method"], scope["path"], route, status, time.perf_counter() - begun)
            for observer in self.observers:
                observer(seen)


def log_request(seen: Seen) -> None:
    """Write one line, without anything that is secret: no query, no headers, no token of a link."""
    if seen.path in PROBES:
        return
    milliseconds = round(seen.seconds * 1000, 1)
    fields = {
        "method": seen.method,
        "path": shown(seen.path),
        "status": seen.status,
        "duration_ms": milliseconds,
    }
    log.info("%(method)s %(path)s %(status)d %(duration_ms).1fms", fields, extra=fields)


def shown(path: str) -> str:
    """Return a path as it may stand in a log: the token of a link left out, one line, not long."""
    return ascii(_TOKEN.sub(r"\1***", path)[:200])[1:-1]
