"""Sends a request to the application from within, past no door and no log."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from terminal_server.mcptools.tools import Request

ANSWER_BYTES = 20 * 1024**2


class TooLargeError(Exception):
    """The answer is larger than can be passed on."""


@dataclass(frozen=True)
class Answer:
    """What the application answers."""

    status: int
    kind: str
    """Its MIME type, without parameters."""
    body: bytes


async def send(
    app: ASGIApp, request: Request, headers: Sequence[tuple[bytes, bytes]], client: Any = None
) -> Answer:
    """Send a request and return the answer. Whoever is cancelled while waiting is a client that has gone.

    Raises:
        TooLargeError: it is too large.
    """
    status, kind, body = 500, "", bytearray()
    given, full = False, asyncio.Event()

    async def receive() -> Message:
        nonlocal given
        if given:
            await full.wait()
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def take(message: Message) -> None:
        nonlocal status, kind
        if message["type"] == "http.response.start":
            status = message["status"]
            kind = dict(message["headers"]).get(b"content-type", b"").decode("latin-1").split(";")[0].strip()
        elif message["type"] == "http.response.body":
            if len(body) <= ANSWER_BYTES:
                body.extend(message.get("body", b""))
            else:
                # As if who asked had gone.
                full.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": [*headers, (b"content-length", str(len(request.body)).encode())],
        "client": client,
        "server": None,
    }
    await app(scope, receive, take)
    if len(body) > ANSWER_BYTES:
        raise TooLargeError
    return Answer(status, kind, bytes(body))
