"""Counts requests as activity: all but those that only look, which interfaces send again and again.

What would be counted is refused once the server stops: an idle one ends because nothing was counted until then.
"""

import re
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terminal_server.activity import Activity
from terminal_server.lifecycle import Lifecycle, Phase
from terminal_server.middleware.observe import shown

_POLLED = re.compile(
    r"/(health|ready|activity|docs|openapi\.json|system|info|ports|skills|execute|api/config|api/v1/.*|api/terminals"
    r"|api/terminals/[^/]+|api/terminals/user/output|execute/[^/]+/status|files/cwd|files/list|notebooks(/[^/]+)?)"
)
_MCP = {"/mcp", "/mcp/"}
"""What is called through it are requests of their own."""
_LATER = {"Retry-After": "1"}
_FIRST_ERROR = 400
_SHOWN = 40


def is_poll(method: str, path: str) -> bool:
    """Tell whether a request only looks, and may come every second for as long as a page is open."""
    return path in _MCP or (method in {"GET", "HEAD", "OPTIONS"} and _POLLED.fullmatch(path) is not None)


class CountRequests:
    """ASGI middleware: a request that does something keeps the terminal awake while it lasts.

    It stands behind the door, so a stranger keeps nothing awake. Where the door is open, as for links, a request
    counts when it is answered, and not with an error.
    """

    def __init__(
        self, app: ASGIApp, *, activity: Activity, lifecycle: Lifecycle, is_open: Callable[[str], bool]
    ) -> None:
        self.app = app
        self.activity = activity
        self.lifecycle = lifecycle
        self.is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        is_request = scope["type"] == "http"
        if scope["type"] == "lifespan" or (is_request and is_poll(scope["method"], scope["path"])):
            await self.app(scope, receive, send)
        elif self.lifecycle.phase is Phase.STOPPING:
            refusal = JSONResponse({"detail": "the server is stopping"}, status_code=503, headers=_LATER)
            await refusal(scope, receive, send)
        elif is_request:
            await self._count(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        unproven = self.is_open(scope["path"])

        async def watch(message: Message) -> None:
            if unproven and message["type"] == "http.response.start" and message["status"] < _FIRST_ERROR:
                self.activity.touch()
            await send(message)

        with self.activity.busy(f"{scope['method']} {shown(scope['path'])[:_SHOWN]}", touch=not unproven):
            await self.app(scope, receive, watch)
