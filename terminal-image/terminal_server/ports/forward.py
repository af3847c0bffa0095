"""Passes a request on to a program, and its answer back, both as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from terminal_server.clients import while_there
from terminal_server.http_protocol import LEFT_EXTENSION
from terminal_server.ports import headers
from terminal_server.ports.target import Target
from terminal_server.ports.upstream import NoAnswerError, Upstream

if TYPE_CHECKING:
    import aiohttp

_ANSWERS = range(200, 600)
"""The statuses of answers. Whoever stands before this server would take 101 for a word about its own connection."""
_BODY_HEADERS = {b"content-length", b"transfer-encoding"}


class _Client(AsyncIterator[bytes]):
    """What the client still sends, and whether it is still there."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    async def listen(self) -> None:
        """Take what the client sends, as fast as it is passed on, until it has gone."""
        while (message := await self._receive())["type"] == "http.request":
            if message.get("body"):
                await self._chunks.put(message["body"])
            if not message.get("more_body", False):
                await self._chunks.put(None)

    async def __anext__(self) -> bytes:
        """Return the next it sends."""
        chunk = await self._chunks.get()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


async def forward(scope: Scope, receive: Receive, send: Send, *, target: Target, upstream: Upstream) -> None:
    """Answer a request with a program's answer. A client that leaves ends it."""
    has_body = any(name in _BODY_HEADERS for name, _ in scope["headers"])
    client = _Client(receive)
    body = client if has_body else None
    answered = await while_there(
        _exchange(scope, body, send, target, upstream), _left(scope, client) if has_body else client.listen()
    )
    if answered is not None:
        try:
            answered.result()
        except NoAnswerError as error:
            await JSONResponse({"detail": error.detail}, status_code=error.status)(scope, receive, send)


async def _left(scope: Scope, client: _Client) -> None:
    """Return when a client has gone. Who listens to it waits for the program to read, which it may never do."""
    extension = scope.get("extensions", {}).get(LEFT_EXTENSION)
    if extension is None:
        await client.listen()
    else:
        await while_there(client.listen(), extension["wait"]())


async def _exchange(
    scope: Scope, body: _Client | None, send: Send, target: Target, upstream: Upstream
) -> None:
    peer = scope["client"][0] if scope["client"] else "unknown"
    answer = await upstream.request(
        scope["method"],
        target,
        headers.for_program(scope["headers"], target, scheme=scope["scheme"], client=peer),
        body,
    )
    try:
        if answer.status not in _ANSWERS:
            detail = f"The program on port {target.port} answered with status {answer.status}"
            raise NoAnswerError(502, detail)
        await _pass_on(answer, send, target)
    finally:
        answer.close()


async def _pass_on(answer: "aiohttp.ClientResponse", send: Send, target: Target) -> None:
    import aiohttp  # noqa: PLC0415 - imported by now

    start = {"type": "http.response.start", "status": answer.status}
    await send({**start, "headers": headers.for_client(answer.raw_headers, target)})
    # An answer that breaks off is broken off for the client too: that is what an end without an end says.
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
