"""One WebSocket to a shell.

The first message proves who is there: browsers can send no header with a WebSocket. After that a binary message
is what was typed or printed, and a text message is about the terminal. Nothing but binary messages is sent:
clients show whatever comes.
"""

import asyncio
import contextlib
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from terminal_server import websocket
from terminal_server.activity import Activity
from terminal_server.auth import KeyRing
from terminal_server.clients import while_there
from terminal_server.engine import InputClosedError
from terminal_server.shells.shell import Shell
from terminal_server.shells.viewer import End, Viewer

_PROOF_SECONDS = 10.0
_TYPING_SECONDS = 60.0
_CLOSING_SECONDS = 5.0
_CONTROL_CHARACTERS = 4096

_NO_PROOF = End(4001, 'The first message must be {"type": "auth", "token": KEY}, with a valid key, in 10 s')
NOT_THERE = End(4004, "There is no such terminal")
_NOT_READ = End(1013, "What runs in the terminal does not read its input")


async def proven(socket: WebSocket, keys: KeyRing) -> dict[str, Any] | None:
    """Accept a client and let it prove that it has a key; return its proof, or None if it is sent away.

    A header `Authorization` will do; the proof is empty then.
    """
    await socket.accept()
    proof = {} if keys.accepts(socket.headers.get("authorization")) else await _first_message(socket, keys)
    if proof is None:
        await close(socket, _NO_PROOF)
    else:
        websocket.trust(socket.scope)
    return proof


async def _first_message(socket: WebSocket, keys: KeyRing) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(_PROOF_SECONDS):
            message = _parsed((await socket.receive()).get("text"))
    except TimeoutError:
        return None
    token = message.get("token")
    if message.get("type") != "auth" or not isinstance(token, str):
        return None
    return message if keys.accepts_key(token.encode(errors="replace")) else None


async def show(socket: WebSocket, shell: Shell, activity: Activity) -> None:
    """Let a client use a shell until one of them goes."""
    viewer = shell.attach()
    activity.touch()
    try:
        await while_there(_send(socket, viewer, activity), _receive(socket, shell, viewer, activity))
    finally:
        shell.detach(viewer)
    if viewer.end is not None:
        await close(socket, viewer.end)


async def close(socket: WebSocket, end: End) -> None:
    """Close, if the client is still there; one that does not read is not waited for."""
    if socket.client_state is WebSocketState.CONNECTED:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await socket.close(end.code, end.reason)


async def _send(socket: WebSocket, viewer: Viewer, activity: Activity) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while data := await viewer.take():
            await socket.send_bytes(data)
            activity.touch()


async def _receive(socket: WebSocket, shell: Shell, viewer: Viewer, activity: Activity) -> None:
    while (message := await socket.receive())["type"] == "websocket.receive":
        if typed := message.get("bytes"):
            activity.touch()
            try:
                async with asyncio.timeout(_TYPING_SECONDS):
                    await shell.type(typed)
            except TimeoutError:
                viewer.finish(_NOT_READ)
                return
            except InputClosedError:
                # It has ended, and the client hears of that after all that it printed.
                continue
        else:
            _obey(_parsed(message.get("text")), shell)


def _obey(message: dict[str, Any], shell: Shell) -> None:
    """Do what a text message says; what is not known, as "ping", keeps the connection open and asks no answer."""
    if message.get("type") == "resize":
        rows, columns = _count(message.get("rows")), _count(message.get("cols"))
        if rows is not None and columns is not None:
            shell.resize(rows, columns)


def _count(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _parsed(text: str | None) -> dict[str, Any]:
    """Return the object of a text message; an empty one if it is no small object."""
    if text is None or len(text) > _CONTROL_CHARACTERS:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
