"""Large files: sent whole, in order, without anybody waiting for a client that does not read."""

import asyncio
import json
import os
import socket
import struct
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.running import KEY, Client, Server, connected, running, until

SIZE = 20 * 1024 * 1024


@pytest.fixture
def content() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def large(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "large"
    path.write_bytes(content)
    return path


def asking(path: Path) -> bytes:
    target = f"/files/view?path={quote(str(path))}"
    return f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


async def body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    (length,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return await reader.readexactly(int(length.split(b":")[1]))


async def test_answers_to_requests_sent_one_after_the_other_keep_their_order(
    server: Server, large: Path, content: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(asking(large) + health + asking(large) + health)
    async with asyncio.timeout(60):
        answers = [await body(reader) for _ in range(4)]
    writer.close()
    assert [json.loads(answers[1]), json.loads(answers[3])] == [{"status": "ok"}] * 2
    assert answers[0] == answers[2] == content


async def test_clients_that_do_not_read_hold_up_nobody(
    server: Server, client: Client, large: Path, content: bytes
) -> None:
    lazy = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for each in lazy:
        each.sendall(asking(large))
    for each in lazy:
        await until(partial(each.recv, 1, socket.MSG_PEEK), "the answer begins")
    async with client.request("GET", "/files/view", params={"path": str(large)}) as response:
        assert await response.read() == content
    for each in lazy:
        each.close()


async def test_a_client_that_has_said_its_last_never_gets_a_body_without_its_head(client: Client) -> None:
    (client.server.home / "short").write_text("content")
    head = f"GET /files/view?path=short HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    for more in (b"Content-Length: 9\r\n\r\n{}", b"\r\n") * 100:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        writer.write(head.encode() + more)
        writer.write_eof()
        answer = await reader.read()
        assert not answer or answer.startswith(b"HTTP/1.1 200 OK"), answer
        writer.close()


async def test_a_client_that_goes_amid_a_file_is_no_failure(
    tmp_path: Path, large: Path, content: bytes
) -> None:
    with running(tmp_path / "own") as own:
        for _ in range(5):
            leaving = socket.create_connection(("127.0.0.1", own.port))
            leaving.sendall(asking(large))
            await until(partial(leaving.recv, 1), "the answer begins")
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            leaving.close()
        await until(lambda: own.logged().count("/files/view") == 5, "each request has ended")
        view = {"params": {"path": str(large)}}
        async with connected(own) as other, other.request("GET", "/files/view", **view) as response:
            assert await response.read() == content
        assert "ASGI" not in own.logged()
