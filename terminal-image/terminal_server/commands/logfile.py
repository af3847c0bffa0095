"""The log of one command on disk: what it printed, as it came, so that `cat` and `grep` are of use.

Beside it is an index of its entries, once not all of them are in memory. The folder is the user's own, and so
anything may have been done to the files: what cannot be read back is said to be missing. Everything here may
block.
"""

import itertools
import os
import stat
from pathlib import Path
from typing import NamedTuple

from terminal_server.commands.entries import RECORD_BYTES, Entry, cost, ends, fitting, notice, unpacked

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LEAST_COST = cost(1)


class Part(NamedTuple):
    """Entries that follow each other."""

    entries: list[Entry]
    length: int
    """How many they are, or how many a notice among them stands for."""


class Appended(NamedTuple):
    """What came of it when something was to be added to a log."""

    size: int
    """How many bytes were written."""
    records: int
    """How many records the index has now."""
    problem: str
    """Why something could not be written."""


class ChangedError(OSError):
    """Somebody else changed the file."""

    def __init__(self) -> None:
        super().__init__(None, "somebody else changed the log")


class LogFile:
    """Two files: `ID.log` and, hidden, its index."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._indexed = False

    @property
    def index(self) -> Path:
        """Where its index is, if it has one."""
        return self.path.with_name(f".{self.path.stem}.index")

    def append(self, data: bytes, position: int, records: bytes, first: int) -> Appended:
        """Write at the end, which must be at `position`, and then the entries' records to the index.

        Args:
            data: the bytes.
            position: how many there are.
            records: what to add to the index, if all of `data` could be written.
            first: how many records there are.
        """
        done, problem = _append(self.path, data, position)
        if problem or not records:
            return Appended(done, first, problem)
        self._indexed = True
        written, problem = _append(self.index, records, first * RECORD_BYTES)
        return Appended(done, first + written // RECORD_BYTES if not problem else first, problem)

    def append_index(self, records: bytes, first: int) -> None:
        """Add records to the index, which must hold `first` of them.

        Raises:
            OSError: it is not complete.
        """
        self._indexed = True
        written, problem = _append(self.index, records, first * RECORD_BYTES)
        if written < len(records):
            raise OSError(None, problem)

    def forward(self, first: int, last: int, budget: int) -> Part:
        """Return the entries from number `first` on, those before `last`, as many as fit; one always does."""
        sure = min(last, first + budget // _LEAST_COST + 1)
        try:
            sizes, start = self._sizes(first, sure)
            count = fitting(sizes, budget)
            return Part(self._entries(first, first + count, start), count)
        except OSError as error:
            return _unreadable(error, last - first)

    def backward(self, first: int, last: int, budget: int) -> Part:
        """Return the entries before number `last`, back to `first`, as many as fit; one always does."""
        sure = max(first, last - budget // _LEAST_COST - 1)
        try:
            sizes, start = self._sizes(sure, last)
            count = fitting(sizes[::-1], budget)
            start += sum(sizes[: len(sizes) - count])
            return Part(self._entries(last - count, last, start), count)
        except OSError as error:
            return _unreadable(error, last - first)

    def remove(self) -> None:
        """Delete both, as far as they were made here, or the log of an earlier run."""
        for path in (self.path, self.index) if self._indexed else (self.path,):
            try:
                path.unlink()
            except OSError:
                continue

    def _sizes(self, first: int, last: int) -> tuple[list[int], int]:
        """Return the sizes of entries, and how many bytes came before them."""
        begin = max(first - 1, 0)
        found = ends(_read(self.index, begin * RECORD_BYTES, (last - begin) * RECORD_BYTES))
        if first == 0:
            found = [0, *found]
        return [after - before for before, after in itertools.pairwise(found)], found[0]

    def _entries(self, first: int, last: int, start: int) -> list[Entry]:
        records = _read(self.index, first * RECORD_BYTES, (last - first) * RECORD_BYTES)
        return unpacked(_read(self.path, start, ends(records)[-1] - start), records, start)


def _unreadable(error: OSError, count: int) -> Part:
    return Part([notice(f"{count} entries of output cannot be read back: {error.strerror}", 0)], count)


def _append(path: Path, data: bytes, position: int) -> tuple[int, str]:
    written = 0
    try:
        descriptor, size = _opened(path, _WRITE)
        try:
            if size != position:
                raise ChangedError
            while written < len(data):
                written += os.pwrite(descriptor, memoryview(data)[written:], position + written)
        finally:
            os.close(descriptor)
    except OSError as error:
        return written, error.strerror or str(error)
    return written, ""


def _read(path: Path, position: int, size: int) -> bytes:
    descriptor, _ = _opened(path, _READ)
    try:
        data = b""
        while len(data) < size and (more := os.pread(descriptor, size - len(data), position + len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) < size:
        raise ChangedError
    return data


def _opened(path: Path, flags: int) -> tuple[int, int]:
    """Return a descriptor of a file, and its size."""
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise ChangedError
    return descriptor, state.st_size
