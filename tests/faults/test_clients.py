"""Clients that are slow, and clients that only sit there: others are served as if they were not."""

import asyncio
import contextlib
import json
import re
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.running import KEY, Client, Server, children, connected, running, until

_IDLE = 1_000
_BYTE_SECONDS = 0.02
_MEMORY_BYTES = 40_000_000


@pytest.fixture
def many_files() -> None:
    """Let this process have enough connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 3 * _IDLE:
        pytest.skip(f"only {most} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.asynccontextmanager
async def _connections(server: Server, number: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    async with contextlib.AsyncExitStack() as opened:
        writers: list[asyncio.StreamWriter] = []
        while len(writers) < number:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            opened.callback(writer.transport.abort)
            writers.append(writer)
        yield writers


def _resident(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST /execute HTTP/1.1\r\nHost: x\r\n",
        b"POST /files/write HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: 9\r\n\r\n{"
        % KEY.encode(),
    ],
    ids=["nothing", "half a head", "half a body"],
)
async def test_1000_connections_that_say_no_more_cost_little_and_stop_nobody(
    tmp_path: Path, beginning: bytes
) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, asyncio.timeout(60):
            await client.json("GET", "/health")
            before = _resident(server)
            async with _connections(server, _IDLE) as writers:
                for writer in writers:
                    writer.write(beginning)
                assert await client.json("GET", "/health") == {"status": "ok"}
                assert (await client.execute("echo well", timeout=20))["stdout"] == "well\n"
                await client.json("POST", "/files/write", json={"path": "file", "content": "x"})
                assert _resident(server) - before < _MEMORY_BYTES
            assert await client.json("GET", "/health") == {"status": "ok"}


async def _send_slowly(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(_BYTE_SECONDS)


async def test_who_sends_byte_by_byte_is_answered_and_others_meanwhile(
    server: Server, client: Client
) -> None:
    body = json.dumps({"command": "echo slow", "timeout": 20}).encode()
    head = f"POST /execute HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    slow = asyncio.create_task(_send_slowly(writer, head.encode() + body))
    served = 0
    while not slow.done():
        assert (await client.execute("echo fast", timeout=20))["stdout"] == "fast\n"
        served += 1
    assert served > 1
    head_of_answer = await reader.readuntil(b"\r\n\r\n")
    assert head_of_answer.startswith(b"HTTP/1.1 200")
    (length,) = re.findall(rb"content-length: (\d+)", head_of_answer.lower())
    assert b'"stdout":"slow\\n"' in await reader.readexactly(int(length))
    writer.close()


async def test_who_leaves_in_the_middle_of_a_body_fails_nothing(tmp_path: Path) -> None:
    head = (
        f"POST /execute HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    with running(tmp_path) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head.encode() + b'{"command": "true"')
        await writer.drain()
        writer.close()
        await until(lambda: "POST /execute" in server.logged(), "the server saw it leave")
        assert "failed" not in server.logged()


async def _slowly(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while byte := await reader.read(1):
        yield byte
        await asyncio.sleep(_BYTE_SECONDS)


async def test_who_reads_byte_by_byte_holds_up_only_its_own_command(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        body = json.dumps({"command": "yes | head -c 100000000", "timeout": 60}).encode()
        head = f"POST /execute?stream=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

        async def read() -> None:
            async for _ in _slowly(reader):
                pass

        reading = asyncio.create_task(read())
        async with connected(server) as client:
            await until(lambda: "yes" in _children_of(server), "the command runs")
            for _ in range(50):
                assert (await client.execute("echo fast", timeout=20))["stdout"] == "fast\n"
            assert not reading.done()
            assert server.memory_peak() < 100e6
            writer.transport.abort()
            await until(lambda: "yes" not in _children_of(server), "the command of who has gone was ended")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _children_of(server: Server) -> set[str]:
    """Return the names of what descends from a server."""
    found, waiting = set(), [server.process.pid]
    while waiting:
        for child in children(waiting.pop()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.add(Path(f"/proc/{child}/comm").read_text().strip())
                waiting.append(child)
    return found
