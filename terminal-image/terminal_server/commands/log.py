"""What a command has printed: the newest in memory, all of it on disk.

Short output costs no disk before its answer: it is written a moment later. Memory is bounded, whatever a command
prints. When the disk is full or the budget used up the command goes on; the newest output stays in memory, and
whoever reads is told what is missing, and why.
"""

import asyncio
from bisect import bisect_left, bisect_right
from functools import partial
from pathlib import Path
from typing import Protocol

from terminal_server.commands.entries import (
    RECORD_BYTES,
    Entry,
    Splitter,
    Window,
    cost,
    fitting,
    notice,
)
from terminal_server.commands.flushing import Flush, flush_all
from terminal_server.commands.logfile import Appended, LogFile, Part
from terminal_server.engine import Stream

FLUSH_BYTES = 128 * 1024
"""So much is worth writing at once."""
_MOST_FLUSHES = 8
"""So much more may come while it is written; all that has come is written next."""
KEPT_BYTES = 64 * 1024
_FLUSH_SECONDS = 0.2
_LARGEST_ENTRY = 16 * 1024


class Budget(Protocol):
    """The disk that logs may take."""

    def reserve(self, size: int, already: int) -> tuple[int, str]:
        """Return how much of `size` bytes a log that has `already` so many may take, and why it is not all."""

    def give_back(self, size: int) -> None:
        """Say that reserved bytes are not used."""


class Log:
    """The output of one command. Its `feed` is what the engine wants."""

    def __init__(self, path: Path, budget: Budget, answer_limit_bytes: int) -> None:
        self.path = path
        self.totals: dict[Stream, int] = {"stdout": 0, "stderr": 0}
        """Bytes printed so far."""
        self.problem: str | None = None
        """Why output is not written to disk any more."""
        self.on_disk = 0
        """How many bytes are on disk."""
        self.reserved = 0
        """How much of the budget it has."""
        self._written = 0
        """How many entries are."""
        self._indexed = 0
        self._made = False
        self._shown = 0
        self.file = LogFile(path)
        """Where it is on the disk."""
        self._budget = budget
        # Small enough for a quarter of an answer, so that a head and a tail of whole entries use most of it.
        self._most = min(_LARGEST_ENTRY, answer_limit_bytes // 4)
        self._splitter = Splitter(self._most)
        self._window = Window()
        self._loop = asyncio.get_running_loop()
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def last(self) -> int:
        """The number of entries so far."""
        return self._window.last

    @property
    def size(self) -> int:
        """The bytes of all entries so far."""
        return self._window.end

    @property
    def memory(self) -> int:
        """Bytes of memory it takes."""
        return self._window.memory

    @property
    def lost(self) -> int:
        """Bytes that are neither on disk nor in memory any more."""
        return max(0, self._window.start - self.on_disk)

    @property
    def settled(self) -> bool:
        """Whether everything so far is on disk, as far as it can be."""
        return self.problem is not None or (
            self._writing is None and self._made and self._written == self.last
        )

    def feed(self, stream: Stream, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes; when memory is used up, ask to wait until they are on disk."""
        self.totals[stream] += len(data)
        shown, cuts = self._splitter.split(stream, data)
        if len(cuts) == 1:
            self._add(stream, shown)
        elif cuts:
            self._window.add(stream, shown, cuts)
        return self._care()

    def finish(self) -> None:
        """Take note that nothing is fed any more. Whoever says so has it written: it does not see to that itself."""
        self._stop_timer()
        for stream, piece in self._splitter.rest():
            self._add(stream, piece)

    def flush(self) -> None:
        """Begin to write what is not yet on disk; an empty log is made too."""
        flush_all([self])

    def is_due(self) -> bool:
        """Tell whether something is to be written that is not being written; who asks has it written now."""
        self._stop_timer()
        return self._writing is None and not self.settled

    def flushed_by(self, task: asyncio.Task[None]) -> None:
        """Take note that a task writes it."""
        self._writing = task
        task.add_done_callback(self._flushed)

    async def settle(self) -> None:
        """Have everything written, as far as it can be."""
        self.flush()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)
            if self._written < self.last:
                self.flush()

    async def release(self) -> None:
        """Keep nothing in memory of a log that is complete."""
        await self.settle()
        await self._index(always=True)
        self._window.drop(self._window.last)

    def give_up(self) -> None:
        """Leave its part of the budget to others, and write no more. It has to be removed then."""
        self.problem = "the log was deleted"
        self._budget.give_back(self.reserved)
        self.reserved = 0

    async def forward(self, first: int, last: int, budget: int) -> Part:
        """Return the entries from number `first` on, those before `last`, as many as fit; one always does."""
        self._shown = max(self._shown, last)
        entries: list[Entry] = []
        number = first
        while number < last and budget >= 0:
            part = await self._next(number, last, budget)
            budget -= sum(cost(len(entry.data)) for entry in part.entries)
            if entries and budget < 0:
                break
            entries += part.entries
            number += part.length
        return Part(entries, number - first)

    async def backward(self, first: int, last: int, budget: int) -> Part:
        """Return the entries before number `last`, back to `first`, as many as fit; one always does."""
        self._shown = max(self._shown, last)
        entries: list[Entry] = []
        number = last
        while number > first and budget >= 0:
            part = await self._previous(first, number, budget)
            budget -= sum(cost(len(entry.data)) for entry in part.entries)
            if entries and budget < 0:
                break
            entries = part.entries + entries
            number -= part.length
        return Part(entries, last - number)

    async def _next(self, number: int, last: int, budget: int) -> Part:
        window = self._window
        if number >= window.first:
            count = fitting(window.sizes(number, last), budget)
            return Part(window.entries(number, number + count), count)
        if number < self._written:
            until = min(last, self._written, window.first)
            return await asyncio.to_thread(self.file.forward, number, until, budget)
        return self._missing(number, min(last, window.first))

    async def _previous(self, first: int, number: int, budget: int) -> Part:
        window = self._window
        if number > window.first:
            sizes = window.sizes(max(first, window.first), number)
            count = fitting(sizes[::-1], budget)
            return Part(window.entries(number - count, number), count)
        if number <= self._written:
            return await asyncio.to_thread(self.file.backward, first, number, budget)
        return self._missing(max(first, self._written), number)

    def _missing(self, first: int, last: int) -> Part:
        return Part(
            [notice(f"{self.lost} bytes of output are lost: {self.problem}", self.lost)], last - first
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _add(self, stream: Stream, piece: bytes) -> None:
        if self._shown >= self.last or not self._window.grow(stream, piece, self._most):
            self._window.add(stream, piece)

    def _care(self) -> asyncio.Future[None] | None:
        """Keep memory bounded: begin to write, or forget; return what to wait for before more is fed."""
        if self.problem is not None:
            self._trim(self._window.last)
            return None
        waiting = self._window.end - self.on_disk + RECORD_BYTES * (self._window.last - self._written)
        if self._writing is None:
            if waiting >= FLUSH_BYTES:
                self.flush()
            elif self._timer is None:
                self._timer = self._loop.call_later(_FLUSH_SECONDS, self.flush)
        return self._writing if waiting >= _MOST_FLUSHES * FLUSH_BYTES else None

    def _trim(self, before: int) -> None:
        """Forget entries before a number, as long as enough stays."""
        window = self._window
        if self._is_much:
            numbers = range(window.first, before + 1)
            window.drop(numbers[bisect_left(numbers, x=True, key=self._is_little, hi=len(numbers) - 1)])

    def _is_little(self, number: int) -> bool:
        """Tell whether what comes from `number` on is no more than is kept."""
        window = self._window
        size = window.end - window.end_of(number - 1) + RECORD_BYTES * (window.last - number)
        return size <= KEPT_BYTES

    def begin_flush(self) -> Flush | None:
        """Return what is to be written now; nothing if it was given up meanwhile."""
        if self.problem is not None:
            return None
        first, last = self._written, self._window.last
        self._shown = max(self._shown, last)
        size = self._window.end_of(last - 1) - self._window.end_of(first - 1)
        granted, reason = self._budget.reserve(size, self.reserved)
        self.reserved += granted
        granted_last = self._up_to(first, last, granted)
        data = self._window.data(first, granted_last)
        over = granted_last < last
        note = notice(f"what came then is not in this log: {reason}", 0).data if over else b""
        records = self._window.records(self._indexed, granted_last) if self._is_much else b""
        append = partial(self.file.append, data + note, self.on_disk, records, self._indexed)
        return Flush(append, first, granted_last, len(data), reason if over else "")

    async def end_flush(self, flush: Flush, appended: Appended) -> None:
        """Take note of what has been written."""
        self._made = True
        self._indexed = appended.records
        self._written = self._up_to(flush.first, flush.last, min(appended.size, flush.size))
        self.on_disk = self._window.end_of(self._written - 1)
        problem = appended.problem or flush.problem
        if problem:
            self.problem = problem
        await self._index(always=bool(problem))

    def _up_to(self, first: int, last: int, size: int) -> int:
        """Return the number before which so many bytes of entries end, from number `first` on."""
        limit = self._window.end_of(first - 1) + size
        return first + bisect_right(range(first, last), limit, key=self._window.end_of)

    @property
    def _is_much(self) -> bool:
        """Whether something has to be forgotten, which takes an index."""
        return self._window.memory > 2 * KEPT_BYTES

    async def _index(self, *, always: bool = False) -> None:
        """Write the index of what is on disk, if that is needed to forget it."""
        if self._written > self._indexed and (always or self._is_much):
            first, last = self._indexed, self._written
            try:
                records = self._window.records(first, last)
                await asyncio.to_thread(self.file.append_index, records, first)
                self._indexed = last
            except OSError as error:
                self.problem = self.problem or error.strerror or str(error)
                self._written = first
                self.on_disk = self._window.end_of(first - 1)
        self._trim(self._window.last if self.problem is not None else self._indexed)

    def _flushed(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        task.result()
        if self._written < self.last:
            self._care()
