"""The output of a command: divided into entries, kept in memory and on disk, and shown within a budget."""

import asyncio
import itertools
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_server.commands import log as log_module
from terminal_server.commands.entries import NOTICE, Entry, Splitter, Window, cost, fitting, whole
from terminal_server.commands.log import Log
from terminal_server.commands.views import View, look, text_of

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")

texts = st.text(st.sampled_from("aé€😀\n\0"), max_size=60).map(str.encode)
noise = st.binary(max_size=60)
chunks = st.lists(st.tuples(st.sampled_from(STREAMS), texts | noise), max_size=40)
utf8_chunks = st.lists(st.tuples(st.sampled_from(STREAMS), texts), max_size=30)


class Unlimited:
    """A budget that is never used up; or, with a limit, one."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit

    def reserve(self, size: int, already: int) -> tuple[int, str]:
        """Grant what there is."""
        if self.limit is None or already + size <= self.limit:
            return size, ""
        return max(0, self.limit - already), "enough"

    def give_back(self, size: int) -> None:
        """Take back."""


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be used by little output."""
    monkeypatch.setattr(log_module, "FLUSH_BYTES", 200)
    monkeypatch.setattr(log_module, "KEPT_BYTES", 100)


@given(noise, st.integers(0, 59))
def test_a_beginning_that_ends_between_characters_reads_the_same_alone(data: bytes, cut: int) -> None:
    end = whole(data[:cut])
    assert end > min(cut, len(data)) - 4
    assert _read(data[:end]) + _read(data[end:]) == _read(data)


@given(chunks, st.integers(4, 30))
def test_pieces_are_all_of_a_stream_and_split_no_character(
    data: list[tuple[Stream, bytes]], most: int
) -> None:
    splitter = Splitter(most)
    got: list[tuple[Stream, bytes]] = []
    for stream, chunk in data:
        shown, cuts = splitter.split(stream, chunk)
        got += ((stream, shown[start:end]) for start, end in itertools.pairwise([0, *cuts]))
    got += splitter.rest()
    for stream in STREAMS:
        raw = b"".join(chunk for of, chunk in data if of == stream)
        pieces = [piece for of, piece in got if of == stream]
        assert b"".join(pieces) == raw
        assert "".join(map(_read, pieces)) == _read(raw)
        assert all(0 < len(piece) <= most for piece in pieces)


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 500))
def test_as_many_entries_fit_as_the_budget_has_room_for_and_one_always_does(
    sizes: list[int], budget: int
) -> None:
    count = fitting(sizes, budget)
    assert 1 <= count <= len(sizes)
    assert count == 1 or sum(map(cost, sizes[:count])) <= budget
    assert count == len(sizes) or sum(map(cost, sizes[: count + 1])) > budget


@given(
    st.lists(st.tuples(st.sampled_from(STREAMS), st.binary(min_size=1, max_size=9)), min_size=1), st.data()
)
def test_a_window_forgets_its_first_entries_and_keeps_the_others_as_they_were(
    data: list[tuple[Stream, bytes]], draw: st.DataObject
) -> None:
    window = Window()
    for stream, piece in data:
        window.add(stream, piece)
    expected = [Entry(stream, piece) for stream, piece in data]
    before = draw.draw(st.integers(0, len(data)))
    window.drop(before)
    assert window.entries(before, window.last) == expected[before:]
    assert window.sizes(before, window.last) == [len(piece) for _, piece in data[before:]]


def _read(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _run(work: Callable[[Log], Awaitable[None]], budget: Unlimited | None = None) -> None:
    """Do something with a log in a folder of its own."""

    async def run() -> None:
        with TemporaryDirectory() as folder:
            log = Log(Path(folder) / "logs" / "0.log", budget or Unlimited(), 1024)
            await work(log)
            await log.settle()
            log.flush()

    asyncio.run(run())


async def _feed(log: Log, data: list[tuple[Stream, bytes]], *, repeat: int = 1) -> None:
    for stream, chunk in data * repeat:
        pause = log.feed(stream, chunk)
        if pause is not None:
            await pause


def _of(entries: list[Entry], stream: Stream) -> str:
    return "".join(entry.text for entry in entries if entry.kind == stream)


def _all(data: list[tuple[Stream, bytes]], stream: Stream) -> str:
    return _read(b"".join(chunk for of, chunk in data if of == stream))


async def _pages(log: Log, offset: int, budget: int) -> tuple[list[Entry], int]:
    entries: list[Entry] = []
    while True:
        view = await look(log, offset=offset, tail=None, budget=budget)
        entries += view.entries
        assert view.truncated == (view.next_offset < log.last)
        if view.next_offset == offset:
            return entries, offset
        offset = view.next_offset


@settings(max_examples=60, deadline=None)
@given(chunks, st.integers(40, 400), st.integers(1, 8), st.booleans())
def test_who_pages_gets_every_byte_once_while_it_is_printed_and_afterwards(
    data: list[tuple[Stream, bytes]],
    budget: int,
    repeat: int,
    free: bool,  # noqa: FBT001
) -> None:
    async def work(log: Log) -> None:
        got: list[Entry] = []
        offset = 0
        for one in data * repeat:
            await _feed(log, [one])
            if len(one[1]) % 3 == 0:
                new, offset = await _pages(log, offset, budget)
                got += new
        log.finish()
        new, offset = await _pages(log, offset, budget)
        if free:
            await log.release()
            assert log.memory == 0
        again, end = await _pages(log, 0, budget)
        assert end == offset == log.last
        for stream in STREAMS:
            assert _of([*got, *new], stream) == _of(again, stream) == _all(data * repeat, stream)
        assert again == [*got, *new]

    _run(work)


@settings(max_examples=60, deadline=None)
@given(chunks, st.integers(100, 1000), st.integers(1, 8), st.booleans())
def test_an_overview_is_within_its_budget_and_counts_what_it_leaves_out(
    data: list[tuple[Stream, bytes]],
    budget: int,
    repeat: int,
    free: bool,  # noqa: FBT001
) -> None:
    async def work(log: Log) -> None:
        await _feed(log, data, repeat=repeat)
        log.finish()
        if free:
            await log.release()
        view = await look(log, offset=None, tail=None, budget=budget)
        everything, _ = await _pages(log, 0, budget)
        shown = [entry for entry in view.entries if entry.kind != NOTICE]
        left_out = [entry for entry in view.entries if entry.kind == NOTICE]
        assert view.next_offset == log.last
        assert view.truncated == bool(left_out)
        assert sum(entry.missing for entry in left_out) == log.size - sum(len(entry.data) for entry in shown)
        at = view.entries.index(left_out[0]) if left_out else len(shown)
        assert shown == everything[:at] + everything[len(everything) - len(shown) + at :]
        _texts_are_right(log, view, data * repeat)

    _run(work)


def _texts_are_right(log: Log, view: View, data: list[tuple[Stream, bytes]]) -> None:
    for stream in STREAMS:
        text = text_of(log, view, stream)
        if view.truncated and "left out" in text:
            head, _, rest = text.partition("\n[terminal-server: ")
            assert _all(data, stream).startswith(head)
            assert _all(data, stream).endswith(rest.partition("]\n")[2])
        else:
            assert text == _all(data, stream)


@settings(max_examples=60, deadline=None)
@given(chunks, st.integers(1, 30), st.integers(0, 30), st.integers(100, 1000), st.booleans())
def test_a_tail_is_the_last_entries_after_the_offset(
    data: list[tuple[Stream, bytes]],
    count: int,
    offset: int,
    budget: int,
    free: bool,  # noqa: FBT001
) -> None:
    async def work(log: Log) -> None:
        await _feed(log, data, repeat=4)
        log.finish()
        if free:
            await log.release()
        everything, _ = await _pages(log, 0, budget)
        view = await look(log, offset=offset, tail=count, budget=budget)
        wanted = everything[offset:][-count:]
        assert wanted[len(wanted) - len(view.entries) :] == view.entries
        assert sum(cost(len(entry.data)) for entry in view.entries) <= budget or len(view.entries) == 1
        assert view.truncated == (len(view.entries) < len(everything[offset:]))
        assert view.next_offset == log.last

    _run(work)


@settings(max_examples=60, deadline=None)
@given(utf8_chunks, st.integers(0, 3000), st.booleans())
def test_what_is_over_the_limit_is_said_to_be_lost_and_the_newest_is_still_there(
    data: list[tuple[Stream, bytes]],
    limit: int,
    free: bool,  # noqa: FBT001
) -> None:
    async def work(log: Log) -> None:
        await _feed(log, data, repeat=8)
        log.finish()
        await log.settle()
        assert log.memory <= 2 * log_module.KEPT_BYTES + 400 or log.problem is None
        if free:
            await log.release()
        entries: list[Entry] = []
        offset = 0
        while offset < log.last:
            view = await look(log, offset=offset, tail=None, budget=400)
            entries += view.entries
            offset = view.next_offset
        notices = [entry for entry in entries if entry.kind == NOTICE]
        missing = sum(len(chunk) for _, chunk in data * 8) - sum(
            len(entry.data) for entry in entries if entry.kind != NOTICE
        )
        assert sum(entry.missing for entry in notices) == missing
        assert len(notices) == (1 if missing else 0)
        assert all("enough" in entry.text for entry in notices)

    _run(work, Unlimited(limit))


@settings(max_examples=30, deadline=None)
@given(utf8_chunks)
def test_the_log_holds_what_was_printed(data: list[tuple[Stream, bytes]]) -> None:
    async def work(log: Log) -> None:
        await _feed(log, data, repeat=3)
        log.finish()
        await log.settle()
        assert sorted(log.path.read_bytes()) == sorted(b"".join(chunk for _, chunk in data * 3))
        log.path.read_text()

    _run(work)


async def test_entries_are_few_however_small_the_pieces_and_do_not_change_once_shown(tmp_path: Path) -> None:
    log = Log(tmp_path / "0.log", Unlimited(), 4096)
    for _ in range(10):
        log.feed("stdout", b"x")
    assert log.last == 1
    first = await look(log, offset=0, tail=None, budget=1000)
    log.feed("stdout", b"y")
    assert (await look(log, offset=0, tail=1, budget=1000)).entries == [Entry("stdout", b"y")]
    assert (await look(log, offset=0, tail=None, budget=1000)).entries[:1] == first.entries
    await log.settle()


async def test_what_is_printed_while_the_disk_is_busy_is_written_at_once_and_a_flood_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, sizes = threading.Event(), []

    def write(descriptor: int, data: memoryview, position: int) -> int:
        disk.wait(10)
        sizes.append(len(data))
        return pwrite(descriptor, data, position)

    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", write)
    log = Log(tmp_path / "0.log", Unlimited(), 4096)
    fed = 0
    while (pause := log.feed("stdout", b"x" * 200)) is None:
        fed += 200
        # The first is on its way to the disk when the others come.
        await asyncio.sleep(0)
    assert 1000 < fed < 2000
    disk.set()
    await pause
    await log.settle()
    assert log.path.read_bytes() == b"x" * (fed + 200)
    assert [size for size in sizes if size > 100] == [200, fed]


@pytest.mark.parametrize("change", ["truncate", "remove", "replace by a link", "replace by a pipe"])
async def test_what_a_user_did_to_the_log_is_told_and_no_error(tmp_path: Path, change: str) -> None:
    log = Log(tmp_path / "logs" / "0.log", Unlimited(), 4096)
    for number in itertools.count():
        await _feed(log, [("stdout", b"%d" % number * 50)])
        if log.on_disk > 2000:
            break
    await log.release()
    (tmp_path / "secret").write_text("secret" * 1000)
    if change == "truncate":
        os.truncate(log.path, 10)
    else:
        log.path.unlink()
    if change == "replace by a link":
        log.path.symlink_to(tmp_path / "secret")
    elif change == "replace by a pipe":
        os.mkfifo(log.path)
    view = await look(log, offset=0, tail=None, budget=100_000)
    assert [entry.kind for entry in view.entries] == [NOTICE]
    assert "cannot be read back" in view.entries[0].text
    assert view.next_offset == log.last
    await _feed(log, [("stdout", b"more" * 100)])
    await log.settle()
    assert log.problem is not None or change == "remove"
    assert (tmp_path / "secret").read_text() == "secret" * 1000
