"""What a command prints waits for its reader: in memory, or on disk when the reader is slow."""

import asyncio
import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_server.commands import output
from terminal_server.commands.output import Capture, Spool
from terminal_server.commands.spill import SpillSpace

from tests.contract.running import until

_PLENTY = 10**9
LITTLE = 100
MUCH = b"x" * (2 * LITTLE + 1)


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be used by little output."""
    monkeypatch.setattr(output, "MEMORY_BYTES", LITTLE)
    monkeypatch.setattr(output, "_SMALL", 5)


@pytest.fixture
def busy_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk that writes nothing until this is set."""
    free = threading.Event()
    pwrite = os.pwrite

    def write(descriptor: int, data: memoryview, position: int) -> int:
        assert free.wait(10)
        return pwrite(descriptor, data, position)

    monkeypatch.setattr(os, "pwrite", write)
    return free


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a reader however long it takes."""
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 10.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no reader."""
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(output, "_DISK_BYTES_PER_SECOND", 1e12)


async def _rest(spool: Spool) -> bytes:
    taken = b""
    while data := await spool.take():
        taken += data
    return taken


steps = st.lists(st.integers(1, 300) | st.sampled_from(["take", "look elsewhere"]), max_size=60)


@settings(max_examples=50, deadline=None)
@given(steps, st.sampled_from([0.0, 0.001, 10.0]))
def test_all_of_it_is_taken_in_order_whoever_is_slower(did: list[int | str], patience: float) -> None:
    async def run(folder: str) -> None:
        spool = Spool(SpillSpace(Path(folder), _PLENTY))
        fed, taken, waiting = b"", b"", None
        for step in did:
            if step == "look elsewhere":
                await asyncio.sleep(0)
            elif step == "take":
                waiting = waiting or asyncio.ensure_future(spool.take())
                await asyncio.wait([waiting], timeout=0.001)
            else:
                piece = bytes((len(fed) + n) % 251 for n in range(int(step)))
                spool.feed(piece)
                fed += piece
            if waiting is not None and waiting.done():
                taken += waiting.result()
                waiting = None
        spool.finish()
        taken += await waiting if waiting is not None else b""
        assert taken + await _rest(spool) == fed
        assert (spool.lost, spool.problem) == (0, None)
        spool.close()

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(output, "_PATIENCE_SECONDS", patience)
        asyncio.run(run(folder))


@pytest.mark.usefixtures("patient")
async def test_a_reader_that_keeps_up_needs_no_disk(tmp_path: Path) -> None:
    spool = Spool(SpillSpace(tmp_path / "spill", _PLENTY))
    reading = asyncio.create_task(_rest(spool))
    await asyncio.sleep(0)
    for _ in range(50):
        pause = spool.feed(MUCH)
        if pause is not None:
            await pause
    spool.finish()
    assert await reading == MUCH * 50
    assert not (tmp_path / "spill").exists()


@pytest.mark.usefixtures("patient")
async def test_a_command_waits_for_its_reader_until_it_takes_something(tmp_path: Path) -> None:
    spool = Spool(SpillSpace(tmp_path / "spill", _PLENTY))
    spool.feed(MUCH)
    assert await spool.take() == MUCH
    pause = spool.feed(MUCH)
    assert pause is not None
    await asyncio.sleep(0.01)
    assert not pause.done()
    assert await spool.take() == MUCH
    assert pause.done()


@pytest.mark.usefixtures("impatient")
async def test_a_command_does_not_wait_for_a_reader_that_is_slower_than_a_disk(tmp_path: Path) -> None:
    spool = Spool(SpillSpace(tmp_path / "spill", _PLENTY))
    spool.feed(MUCH)
    assert await spool.take() == MUCH
    for number in range(10):
        pause = spool.feed(b"%d" % number * len(MUCH))
        assert pause is not None
        await pause
    spool.finish()
    assert await _rest(spool) == b"".join(b"%d" % number * len(MUCH) for number in range(10))
    spool.close()


async def test_who_lost_patience_waits_no_more_until_the_reader_has_caught_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 0.5)
    spool = Spool(SpillSpace(tmp_path / "spill", _PLENTY))
    spool.feed(MUCH)
    await spool.take()
    loop = asyncio.get_running_loop()
    waits = []
    for _ in range(20):
        pause = spool.feed(MUCH)
        assert pause is not None
        before = loop.time()
        await pause
        waits.append(loop.time() - before)
    assert waits[0] > 0.4
    assert sum(waits[1:]) < 5
    spool.finish()
    assert await _rest(spool) == MUCH * 20
    spool.close()


async def test_a_reader_that_is_a_little_late_every_time_is_not_waited_for_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 0.5)

    async def read_slowly() -> bytes:
        taken = b""
        while data := await spool.take():
            taken += data
            await asyncio.sleep(0.2)
        return taken

    spool = Spool(SpillSpace(tmp_path / "spill", _PLENTY))
    reading = asyncio.create_task(read_slowly())
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(50):
        pause = spool.feed(MUCH)
        if pause is not None:
            await pause
    assert loop.time() - begun < 5
    spool.finish()
    assert await reading == MUCH * 50
    spool.close()


async def test_all_output_that_waits_has_a_limit_and_who_is_read_makes_room(tmp_path: Path) -> None:
    space = SpillSpace(tmp_path, len(MUCH) + 10)
    first, second = Spool(space), Spool(space)
    for spool in (first, second):
        pause = spool.feed(MUCH)
        assert pause is not None
        await pause
        spool.feed(b"lost" if spool.problem else b"")
        spool.finish()
    assert (first.lost, second.lost) == (0, 4)
    assert second.problem == f"all output that waits has at most {len(MUCH) + 10} bytes"
    assert [await _rest(first), await _rest(second)] == [MUCH, MUCH]
    first.close()
    second.close()

    def is_free() -> bool:
        granted = space.take(len(MUCH))
        space.give_back(granted)
        return granted == len(MUCH)

    await until(is_free, "room was made")
    third = Spool(space)
    pause = third.feed(MUCH)
    assert pause is not None
    await pause
    assert third.problem is None
    third.close()


async def test_a_stream_nobody_reads_yet_goes_to_the_disk_and_says_so_when_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, room = os.pwrite, 250

    def write(descriptor: int, data: memoryview, position: int) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = pwrite(descriptor, data[:room], position)
        room -= written
        return written

    monkeypatch.setattr(os, "pwrite", write)
    capture = Capture(SpillSpace(tmp_path, _PLENTY), 10_000)
    for _ in range(10):
        pause = capture.feed("stderr", MUCH)
        capture.feed("stderr", MUCH)
        if pause is not None:
            await pause
    capture.finish()
    taken = b""
    while data := await capture.take("stderr"):
        taken += data
    # What was written, and what was to be written when that failed.
    assert taken == MUCH * 3
    assert capture.note() == (
        f"\n[terminal-server: {17 * len(MUCH)} bytes of stderr are lost: No space left on device]\n"
    )
    assert await capture.take("stdout") == b""
    capture.close()


async def test_what_is_over_the_limit_of_both_streams_is_counted(tmp_path: Path) -> None:
    capture = Capture(SpillSpace(tmp_path, _PLENTY), 10)
    capture.feed("stdout", b"1234567")
    capture.feed("stderr", b"123456")
    capture.feed("stdout", b"8")
    capture.finish()
    assert (await capture.take("stdout"), await capture.take("stderr")) == (b"1234567", b"123")
    assert "4 bytes of output are missing: more than 10 bytes of a command" in capture.note()


@pytest.mark.usefixtures("impatient")
async def test_a_file_is_not_closed_while_it_is_written(
    tmp_path: Path, busy_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Event()
    close = os.close

    def watched(descriptor: int) -> None:
        closed.set()
        close(descriptor)

    spool = Spool(SpillSpace(tmp_path, _PLENTY))
    pause = spool.feed(MUCH)
    assert pause is not None
    await until(lambda: _open_below(tmp_path), "it was written to")
    monkeypatch.setattr(os, "close", watched)
    spool.close()
    assert not closed.wait(0.05)
    busy_disk.set()
    await pause
    await until(lambda: not _open_below(tmp_path), "it was closed")


def _open_below(folder: Path) -> bool:
    def is_below(path: Path) -> bool:
        try:
            return path.readlink().is_relative_to(folder)
        except OSError:
            return False

    return any(is_below(path) for path in Path("/proc/self/fd").iterdir())


@pytest.mark.usefixtures("impatient")
async def test_the_disk_is_used_again_once_what_is_on_it_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions = []
    pwrite = os.pwrite

    def write(descriptor: int, data: memoryview, position: int) -> int:
        positions.append(position)
        return pwrite(descriptor, data, position)

    monkeypatch.setattr(os, "pwrite", write)
    spool = Spool(SpillSpace(tmp_path, _PLENTY))
    for _ in range(3):
        pause = spool.feed(MUCH)
        assert pause is not None
        await pause
        assert await spool.take() == MUCH
    assert positions == [0, 0, 0]
    spool.close()
