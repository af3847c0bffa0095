"""A client of interactive shells."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.contract.running import DEADLINE_SECONDS, KEY, Client

_numbers = itertools.count(1000)


class Screen:
    """A connection to a shell, and what it has shown."""

    def __init__(self, shell: dict[str, Any], socket: aiohttp.ClientWebSocketResponse) -> None:
        self.shell = shell
        self.socket = socket
        self.shown = b""

    async def type(self, text: str) -> None:
        """Type text."""
        await self.socket.send_bytes(text.encode())

    async def tell(self, **message: object) -> None:
        """Send a text message."""
        await self.socket.send_str(json.dumps(message))

    async def shows(self, *texts: bytes) -> bytes:
        """Wait until all texts were shown since the last time; return what was."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not all(text in self.shown for text in texts):
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, (message, self.shown)
                self.shown += message.data
        shown, self.shown = self.shown, b""
        return shown

    async def runs(self, command: str) -> bytes:
        """Run a command line; return what was shown, when it has ended."""
        # In two pieces, so that the echo of what is typed is not taken for the answer.
        number = next(_numbers)
        await self.type(f"{command}\nprintf '%s-%s\\n' ENDED {number}\n")
        return await self.shows(b"ENDED-%d\r\n" % number)

    async def closed(self) -> int | None:
        """Wait for the end of the connection; return its code."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.BINARY:
                self.shown += message.data
        return self.socket.close_code


async def opened(client: Client, **headers: str) -> dict[str, Any]:
    """A shell."""
    answer = await client.json("POST", "/api/terminals", headers=headers)
    assert isinstance(answer, dict)
    return answer


@contextlib.asynccontextmanager
async def seen(
    client: Client,
    shell: dict[str, Any],
    key: str | None = KEY,
    headers: dict[str, str] | None = None,
    **proof: str,
) -> AsyncIterator[Screen]:
    """A connection to a shell, proven by a message as browsers do."""
    url = f"{client.server.url}/api/terminals/{shell['id']}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        screen = Screen(shell, socket)
        if key is not None:
            await screen.tell(type="auth", token=key, **proof)
        yield screen


@contextlib.asynccontextmanager
async def terminal(client: Client, **headers: str) -> AsyncIterator[Screen]:
    """A new shell and a connection to it; it is ended with the connection."""
    shell = await opened(client, **headers)
    try:
        async with seen(client, shell) as screen:
            yield screen
    finally:
        async with client.request("DELETE", f"/api/terminals/{shell['id']}", headers=headers) as answer:
            assert answer.status in {200, 404}
