"""Who has no key, and means no good, can take neither the server's memory nor its connections."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.contract.running import DEADLINE_SECONDS, KEY, Client, Server, connected, running

_ASK = b"GET /health HTTP/1.1\r\nHost: x\r\n"
_SENT_BYTES = 40_000_000
_MEMORY_BYTES = 15_000_000
# Nothing is left unread, which would have the kernel reset the connection, and the answer be lost.
_JUST_TOO_LONG = 65_700
_ENDLESS = {
    "headers": (_ASK, b"a: b\r\n" * 10_000),
    "long headers": (_ASK, b"a: " + b"b" * 8000 + b"\r\n"),
    "one header": (_ASK + b"a: ", b"b" * 65_536),
    "the name of a header": (_ASK, b"b" * 65_536),
    "a path": (b"GET /", b"b" * 65_536),
    "trailers": (
        b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"a: b\r\n" * 10_000,
    ),
    "one trailer": (
        b"POST /execute HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: ",
        b"b" * 65_536,
    ),
}


async def _send_until_closed(server: Server, pieces: Iterable[bytes]) -> int:
    """Send until the server takes no more; return how much was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    sent = 0
    with contextlib.closing(writer.transport), contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            if reader.at_eof() or sent > _SENT_BYTES:
                break
    return sent


@pytest.mark.parametrize("what", _ENDLESS)
async def test_a_head_that_never_ends_costs_little_memory_and_is_cut(tmp_path: Path, what: str) -> None:
    begin, more = _ENDLESS[what]
    with running(tmp_path) as server:
        before = server.memory_peak()
        async with asyncio.timeout(3 * DEADLINE_SECONDS):
            sent = await _send_until_closed(server, itertools.chain([begin], itertools.repeat(more)))
        assert sent < _SENT_BYTES
        assert server.memory_peak() - before < _MEMORY_BYTES
        async with connected(server) as client:
            assert await client.json("GET", "/health") == {"status": "ok"}


async def _asked(server: Server, data: bytes) -> bytes:
    """Send, and return all that is answered until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with contextlib.closing(writer):
        writer.write(data)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await reader.read()


@pytest.mark.parametrize(
    "head",
    [
        _ASK + b"a: " + b"b" * _JUST_TOO_LONG + b"\r\n\r\n",
        _ASK + b"a: b\r\n" * 250 + b"\r\n",
        b"GET /" + b"b" * _JUST_TOO_LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        _ASK + b"a: b\r\n" * 250,
    ],
    ids=["a long header", "many headers", "a long path", "not yet complete"],
)
async def test_who_sends_too_large_a_head_is_told(server: Server, head: bytes) -> None:
    answer, _, body = (await _asked(server, head)).partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/json" in answer
    assert body == b'{"detail": "The head of the request is too large"}'


async def test_a_head_may_be_large_and_a_body_larger(client: Client, server: Server) -> None:
    headers = {f"X-{number}": "y" * 300 for number in range(150)}
    assert await client.json("GET", "/health", headers=headers) == {"status": "ok"}
    body = {"path": "large", "content": "x" * 1_000_000}
    for _ in range(3):
        await client.json("POST", "/files/write", json=body, headers=headers)
    assert (server.home / "large").stat().st_size == 1_000_000


async def test_requests_that_come_at_once_are_answered_one_after_the_other(server: Server) -> None:
    body = b"x" * 100_000
    refused = b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    last = _ASK + b"Connection: close\r\n" + b"a: b\r\n" * 150 + b"\r\n"
    answer = await _asked(server, (refused + _ASK + b"\r\n") * 10 + last)
    assert answer.count(b"HTTP/1.1 401 ") == 10
    assert answer.count(b"HTTP/1.1 200 ") == 11


async def test_what_stands_behind_a_body_is_no_header(server: Server) -> None:
    head = b"POST /execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await _asked(server, head + b"0\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
