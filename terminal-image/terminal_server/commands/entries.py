"""Output in entries: pieces of a stream, in the order they were read, numbered from 0.

An entry never splits a character, so each can be shown by itself. Once it has been shown, or written to disk, it
never changes; until then more of the same stream is added to it, so that there are few.
"""

import codecs
import itertools
from array import array
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from terminal_server.engine import Stream

NOTICE: Literal["notice"] = "notice"
RECORD_BYTES = 8
"""What an entry takes in an index: where it ends, and its stream in the lowest bit."""
_OVERHEAD = 32
_LONGEST_CHARACTER = 4
_NOT_ASCII = 0x80


class Entry(NamedTuple):
    """A piece of output, or a notice about output that is not shown."""

    kind: Stream | Literal["notice"]
    data: bytes
    missing: int = 0
    """Bytes of output a notice stands for."""

    @property
    def text(self) -> str:
        """What is shown; bytes that are no UTF-8 are U+FFFD."""
        return self.data.decode("utf-8", "replace")


def notice(text: str, missing: int) -> Entry:
    """Return an entry that says what is missing."""
    return Entry(NOTICE, f"\n[terminal-server: {text}]\n".encode(), missing)


def cost(size: int) -> int:
    """Return what an entry of `size` bytes takes of an answer, roughly."""
    return size + _OVERHEAD


def fitting(sizes: Sequence[int], budget: int) -> int:
    """Return how many entries, from the first on, fit; one always does."""
    count = 0
    for size in sizes:
        budget -= cost(size)
        if count and budget < 0:
            break
        count += 1
    return count


def whole(data: bytes) -> int:
    """Return the length of what does not end within a character."""
    end = data[1 - _LONGEST_CHARACTER :]
    return len(data) - len(end) + codecs.utf_8_decode(end, "replace", False)[1]  # noqa: FBT003 - a C function


def _cut(data: bytes, end: int) -> int:
    """Return the last place up to `end` that is not within a character."""
    if end and data[end - 1] < _NOT_ASCII:
        return end
    start = max(0, end - _LONGEST_CHARACTER)
    return start + whole(data[start:end])


class Splitter:
    """Divides the streams of a command into pieces that split no character."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}

    def split(self, stream: Stream, data: bytes) -> tuple[bytes, list[int]]:
        """Return what can be shown, and where its pieces end.

        A character cut by the end of `data` is held until its rest comes.
        """
        data = self._held[stream] + data
        end = _cut(data, len(data))
        self._held[stream] = data[end:]
        cuts = []
        position = 0
        while position < end:
            position = _cut(data, position + self._most) if position + self._most < end else end
            cuts.append(position)
        return data[:end], cuts

    def rest(self) -> Iterator[tuple[Stream, bytes]]:
        """Yield what is still held, when nothing more will come."""
        yield from ((stream, data) for stream, data in self._held.items() if data)


class Window:
    """Some consecutive entries, in memory."""

    def __init__(self) -> None:
        self.first = 0
        """The number of its first entry."""
        self.start = 0
        """How many bytes came before."""
        self._data = bytearray()
        self._records = array("Q")

    @property
    def last(self) -> int:
        """The number after its last entry."""
        return self.first + len(self._records)

    @property
    def end(self) -> int:
        """How many bytes there were up to its end."""
        return self.start + len(self._data)

    @property
    def memory(self) -> int:
        """Bytes it takes."""
        return len(self._data) + RECORD_BYTES * len(self._records)

    def add(self, stream: Stream, data: bytes, cuts: Sequence[int] = ()) -> None:
        """Add an entry, or several: `cuts` says where they end."""
        start = self.end
        self._data += data
        self._records.extend(_record(start + cut, stream) for cut in cuts or (len(data),))

    def grow(self, stream: Stream, piece: bytes, most_bytes: int) -> bool:
        """Add to the last entry, if it is of this stream and does not become too large."""
        if self.last == self.first or self._records[-1] & 1 != (stream == "stderr"):
            return False
        if self.end - self.end_of(self.last - 2) + len(piece) > most_bytes:
            return False
        self._data += piece
        self._records[-1] = _record(self.end, stream)
        return True

    def end_of(self, number: int) -> int:
        """Return how many bytes there were up to the end of an entry; of the one before the first as well."""
        return self._records[number - self.first] >> 1 if number >= self.first else self.start

    def sizes(self, first: int, last: int) -> list[int]:
        """Return the sizes of entries."""
        ends = [self.end_of(number) for number in range(first - 1, last)]
        return [after - before for before, after in itertools.pairwise(ends)]

    def entries(self, first: int, last: int) -> list[Entry]:
        """Return entries."""
        return unpacked(self.data(first, last), self.records(first, last), self.end_of(first - 1))

    def data(self, first: int, last: int) -> bytes:
        """Return the bytes of entries, as they are written to disk."""
        start, end = self.end_of(first - 1) - self.start, self.end_of(last - 1) - self.start
        with memoryview(self._data) as data:
            return bytes(data[start:end])

    def records(self, first: int, last: int) -> bytes:
        """Return the records of entries, as they are written to an index."""
        return self._records[first - self.first : last - self.first].tobytes()

    def drop(self, before: int) -> None:
        """Forget the entries before a number."""
        start = self.end_of(before - 1)
        del self._data[: start - self.start]
        del self._records[: before - self.first]
        self.first, self.start = before, start


def _record(end: int, stream: Stream) -> int:
    return end << 1 | (stream == "stderr")


def ends(records: bytes) -> list[int]:
    """Return where entries end, from their records."""
    return [record >> 1 for record in array("Q", records)]


def unpacked(data: bytes, records: bytes, start: int) -> list[Entry]:
    """Return entries from their bytes, the first of which is number `start` of the output, and their records."""
    found = []
    position = 0
    for record in array("Q", records):
        end = (record >> 1) - start
        found.append(Entry("stderr" if record & 1 else "stdout", data[position:end]))
        position = end
    return found
