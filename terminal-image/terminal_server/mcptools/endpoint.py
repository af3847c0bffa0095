"""The endpoint of MCP. It costs nothing until the first request, which loads all that is needed.

Only POST has a meaning: there are no sessions to end, and nothing a server would say unasked.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terminal_server.clients import CLIENT_GONE
from terminal_server.openapi import Documents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class McpEndpoint:
    """ASGI application at the paths of MCP."""

    PATHS = ("/mcp", "/mcp/")
    HEADERS = ("mcp-protocol-version", "mcp-method", "mcp-name")
    """What a client in a browser sends."""

    def __init__(self, app: ASGIApp, documents: Documents, body_limit_bytes: int) -> None:
        self._app = app
        self._documents = documents
        self._body_limit = body_limit_bytes
        self._loading = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] != "POST":
            refusal = JSONResponse(
                {"detail": "Only POST: there are no sessions, and no messages but answers"},
                status_code=405,
                headers={"Allow": "POST"},
            )
            await refusal(scope, receive, send)
            return
        arrived = await self._body(receive)
        if arrived is None:
            await Response(status_code=CLIENT_GONE)(scope, receive, send)
            return

        async def receive_again() -> Message:
            return arrived.popleft() if arrived else await receive()

        manager = await self._load()
        await manager.handle_request(scope, receive_again, send)

    async def stop(self) -> None:
        """End what is under way."""
        self._stopping.set()
        if self._running is not None:
            await self._running

    async def _body(self, receive: Receive) -> deque[Message] | None:
        """Return a body as it came, or the beginning of one that is too large; None if the client has gone.

        The SDK takes a client that goes in the middle of its request for a failure of its own.
        """
        messages: deque[Message] = deque()
        size, more = 0, True
        while more and size <= self._body_limit:
            message = await receive()
            if message["type"] != "http.request":
                return None
            messages.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        return messages

    async def _load(self) -> "StreamableHTTPSessionManager":
        """Return what answers; whoever asks while it is loaded waits for the same one."""
        async with self._loading:
            if self._manager is None:
                document = await self._documents.get()
                make_manager = await asyncio.to_thread(_import)
                manager = make_manager(self._app, document.content, self._body_limit)
                ready = asyncio.Event()
                self._running = asyncio.create_task(self._run(manager, ready))
                await ready.wait()
                self._manager = manager
        return self._manager

    async def _run(self, manager: "StreamableHTTPSessionManager", ready: asyncio.Event) -> None:
        async with manager.run():
            ready.set()
            await self._stopping.wait()


def _import() -> "Callable[[ASGIApp, Mapping[str, Any], int], StreamableHTTPSessionManager]":
    """Import the SDK. It may block."""
    from terminal_server.mcptools.protocol import make_manager  # noqa: PLC0415 - takes time and memory

    return make_manager
