"""Reading from a command's pipe."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator

import pytest
from terminal_server.engine.pipes import Pipe, Stream


class Reader:
    """Keeps what it is fed, and asks for a pause when told to."""

    def __init__(self) -> None:
        self.data = b""
        self.pause: asyncio.Future[None] | None = None

    def feed(self, stream: Stream, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes."""
        assert stream == "stdout"
        self.data += data
        return self.pause


@pytest.fixture
async def ends() -> AsyncIterator[tuple[int, int]]:
    """A pipe: its reading end, which `Pipe` closes, and its writing end."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)


def _pipe(descriptor: int, reader: Reader, closed: list[Pipe] | None = None) -> Pipe:
    return Pipe(descriptor, "stdout", reader.feed, (lambda _: None) if closed is None else closed.append)


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_reader_that_asked_for_a_pause_is_fed_no_more_until_it_is_over(ends: tuple[int, int]) -> None:
    reader = Reader()
    reader.pause = asyncio.get_running_loop().create_future()
    pipe = _pipe(ends[0], reader)
    os.write(ends[1], b"first")
    await _settled()
    os.write(ends[1], b"second")
    await _settled()
    assert reader.data == b"first"
    reader.pause.set_result(None)
    await _settled()
    assert reader.data == b"firstsecond"
    pipe.close()


async def test_what_a_command_printed_last_is_fed_even_if_its_reader_was_paused(
    ends: tuple[int, int],
) -> None:
    reader = Reader()
    reader.pause = asyncio.get_running_loop().create_future()
    pipe = _pipe(ends[0], reader)
    os.write(ends[1], b"first")
    await _settled()
    os.write(ends[1], b"x" * 60_000)
    pipe.finish()
    assert reader.data == b"first" + b"x" * 60_000
    pipe.close()


async def test_what_others_print_after_the_command_ended_is_read_and_thrown_away(
    ends: tuple[int, int],
) -> None:
    reader = Reader()
    closed: list[Pipe] = []
    pipe = _pipe(ends[0], reader, closed)
    pipe.finish()
    os.set_blocking(ends[1], False)
    # More than a pipe holds: it would fill up if nobody read.
    for _ in range(10):
        assert os.write(ends[1], b"x" * 60_000) == 60_000
        await _settled()
    assert reader.data == b""
    assert closed == []
    pipe.close()
    assert closed == [pipe]


async def test_a_pipe_is_closed_when_nobody_can_write_to_it_any_more() -> None:
    reading, writing = os.pipe()
    closed: list[Pipe] = []
    pipe = _pipe(reading, Reader(), closed)
    os.close(writing)
    await _settled()
    assert closed == [pipe]
    pipe.close()
    pipe.finish()
    assert closed == [pipe]


async def test_the_pipe_of_a_command_that_prints_much_holds_more(ends: tuple[int, int]) -> None:
    os.set_blocking(ends[1], False)
    reader = Reader()
    pipe = _pipe(ends[0], reader)
    size = fcntl.fcntl(ends[1], fcntl.F_GETPIPE_SZ)
    os.write(ends[1], b"a little")
    await _settled()
    assert fcntl.fcntl(ends[1], fcntl.F_GETPIPE_SZ) == size
    os.write(ends[1], b"x" * size)
    await _settled()
    assert fcntl.fcntl(ends[1], fcntl.F_GETPIPE_SZ) == 1024 * 1024
    assert os.write(ends[1], b"y" * 1024 * 1024) == 1024 * 1024
    pipe.finish()
    assert reader.data == b"a little" + b"x" * size + b"y" * 1024 * 1024
    pipe.close()
