"""Connections on which nothing is done are closed; whoever waits for an answer, or is slow, is not."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.running import DEADLINE_SECONDS, KEY, Client, Server, connected, running, until

_PROGRAM = (str(Path(__file__).with_name("impatient.py")),)
_MANY = 100
_HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
_WRITE = f"POST /files/write HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n".encode()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("impatient"), program=_PROGRAM) as server:
        yield server


@pytest.fixture
async def caller(impatient: Server) -> AsyncIterator[Client]:
    async with connected(impatient) as made:
        await made.json("GET", "/health")
        yield made


@contextlib.asynccontextmanager
async def _connection(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with contextlib.closing(writer.transport):
        yield reader, writer


async def _round(caller: Client) -> None:
    """Have the server look after its connections once more."""
    caller.server.process.send_signal(signal.SIGUSR1)
    # It has heard of the signal when it answers, so that the next is another one.
    await caller.json("GET", "/health")


async def _rounds_until_closed(
    caller: Client, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, more: bytes
) -> None:
    """Have rounds made until the server closes the connection, and send a little before each."""
    reading = asyncio.create_task(reader.read())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not reading.done():
            writer.write(more)
            await _round(caller)
    await asyncio.gather(reading, return_exceptions=True)


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n", b""),
        (b"GET /health HTTP/1.1\r\nHost: ", b"x"),
        (_HEALTH + b"GET /hea", b""),
        (_HEALTH, b"\r\n"),
        (b"POST /execute HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (_WRITE + b"Content-Length: 99\r\n\r\n{", b""),
    ],
    ids=[
        "nothing",
        "ends of lines",
        "half a head",
        "a head that comes byte by byte",
        "half a second head",
        "ends of lines after a request",
        "the body of a request that was refused",
        "half a body",
    ],
)
async def test_a_connection_that_brings_no_request_is_closed(
    impatient: Server, caller: Client, beginning: bytes, more: bytes
) -> None:
    async with _connection(impatient) as (reader, writer):
        writer.write(beginning)
        await _rounds_until_closed(caller, reader, writer, more)


async def test_who_waits_for_an_answer_is_not_cut(caller: Client, tmp_path: Path) -> None:
    command = f"touch {tmp_path}/begun; until [ -e {tmp_path}/enough ]; do sleep 0.1; done; echo waited"
    waiting = asyncio.create_task(caller.execute(command))
    await until((tmp_path / "begun").exists, "the command runs")
    for _ in range(_MANY):
        await _round(caller)
    (tmp_path / "enough").touch()
    assert (await waiting)["stdout"] == "waited\n"


async def test_who_sends_a_body_byte_by_byte_is_not_cut(
    impatient: Server, caller: Client, tmp_path: Path
) -> None:
    body = b'{"path": "%b/file", "content": "%b"}' % (bytes(tmp_path), b"x" * _MANY)
    async with _connection(impatient) as (reader, writer):
        writer.write(_WRITE + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            writer.write(bytes([byte]))
            await _round(caller)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    assert (tmp_path / "file").stat().st_size == _MANY


async def test_who_has_had_an_answer_may_take_time_with_the_next_request(
    impatient: Server, caller: Client
) -> None:
    async with _connection(impatient) as (reader, writer):
        for _ in range(2):
            writer.write(_HEALTH)
            async with asyncio.timeout(DEADLINE_SECONDS):
                assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
            for _ in range(_MANY):
                await _round(caller)


async def test_who_says_no_more_in_the_middle_of_a_body_keeps_nothing_awake(
    impatient: Server, caller: Client
) -> None:
    async def reasons() -> list[str]:
        return list((await caller.json("GET", "/activity"))["reasons"])

    async def busy() -> bool:
        return "POST /files/write" in await reasons()

    async def idle() -> bool:
        return not await reasons()

    async with _connection(impatient) as (reader, writer):
        writer.write(_WRITE + b"Content-Length: 99\r\n\r\n{")
        await until(busy, "the request was begun")
        await _rounds_until_closed(caller, reader, writer, b"")
        await until(idle, "it was given up")


async def test_the_server_looks_after_its_connections_by_itself(tmp_path: Path) -> None:
    with running(tmp_path, program=_PROGRAM, ROUND_SECONDS="0.1") as server:
        async with _connection(server) as (reader, writer), asyncio.timeout(DEADLINE_SECONDS):
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
