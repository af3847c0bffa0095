"""Passes the messages of a WebSocket between a client and a program."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from terminal_server import websocket
from terminal_server.activity import Activity
from terminal_server.clients import while_there
from terminal_server.ports import headers
from terminal_server.ports.target import Target
from terminal_server.ports.upstream import NoAnswerError, Upstream

if TYPE_CHECKING:
    import aiohttp

_NORMAL, _LEFT, _BROKEN = 1000, 1001, 1011
_UNSAID = {1005: _NORMAL, 1006: _LEFT, 1015: _LEFT}
"""Codes that are made up where there was none, and cannot be sent."""
_REASON_BYTES = 123
_CLOSE_SECONDS = 5.0


async def connect(socket: WebSocket, *, target: Target, upstream: Upstream, activity: Activity) -> None:
    """Connect a client with a program until one of them goes."""
    client = socket.client.host if socket.client else "unknown"
    scheme = "https" if socket.url.scheme == "wss" else "http"
    passed = headers.for_program(socket.scope["headers"], target, scheme=scheme, client=client)
    try:
        program = await upstream.connect(
            target, passed, socket.scope["subprotocols"], websocket.MESSAGE_BYTES
        )
    except NoAnswerError as error:
        await socket.send_denial_response(JSONResponse({"detail": error.detail}, status_code=error.status))
        return
    try:
        await socket.accept(program.protocol)
        await while_there(_to_program(socket, program, activity), _to_client(socket, program, activity))
    finally:
        await program.close()


async def _to_program(
    socket: WebSocket, program: "aiohttp.ClientWebSocketResponse", activity: Activity
) -> None:
    # A program that has gone is noticed where its messages are read.
    while (message := await socket.receive())["type"] == "websocket.receive":
        activity.touch()
        if message.get("bytes") is not None:
            await program.send_bytes(message["bytes"])
        else:
            await program.send_str(message["text"])
    code: int = message.get("code") or _NORMAL
    reason = (message.get("reason") or "").encode()[:_REASON_BYTES]
    await program.close(code=_UNSAID.get(code, code), message=reason)


async def _to_client(
    socket: WebSocket, program: "aiohttp.ClientWebSocketResponse", activity: Activity
) -> None:
    from aiohttp import WSMsgType  # noqa: PLC0415 - imported by now

    with contextlib.suppress(WebSocketDisconnect):
        while (message := await program.receive()).type in {WSMsgType.BINARY, WSMsgType.TEXT}:
            activity.touch()
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            else:
                await socket.send_text(message.data)
        if message.type is WSMsgType.CLOSE:
            code, reason = _UNSAID.get(message.data, message.data), message.extra or ""
        else:
            code, reason = _BROKEN, "The program broke the connection off"
        async with asyncio.timeout(_CLOSE_SECONDS):
            await socket.close(code, reason)
