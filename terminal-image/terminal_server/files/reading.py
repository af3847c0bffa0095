"""Reads lines of a text file, however large it is, without ever holding more than is asked for."""

import codecs
import os
from dataclasses import dataclass

from terminal_server.encodings import NotTextError, marked, unmarked

_BLOCK = 128 * 1024
_BLOCKS_PER_STEP = 32


class TooMuchError(ValueError):
    """More was asked for than one answer can hold."""


@dataclass(frozen=True)
class Lines:
    """Some lines of a text."""

    content: str
    total_lines: int


class LineReader:
    """Reads through an open file step by step, and keeps the lines from `first` to `last`, both included."""

    def __init__(self, descriptor: int, *, first: int, last: int | None, limit_bytes: int) -> None:
        self._descriptor = descriptor
        self._first = first
        self._last = last
        self._limit = limit_bytes
        self._position = 0
        self._ends = 0
        """How many line ends there were so far."""
        self._open_line = False
        """Whether something comes behind the last of them."""
        self._kept = bytearray()
        encoding = marked(os.pread(descriptor, 4, 0))
        self._mark = encoding.mark if encoding is not None else b""
        wide = encoding is not None and encoding.codec != "utf-8"
        self._decoder = (
            codecs.getincrementaldecoder(encoding.codec)() if encoding is not None and wide else None
        )

    def step(self) -> bool:
        """Read on, for as long as a disk may take for some megabytes; tell whether that was the end.

        Raises:
            NotTextError: the content is no text.
            TooMuchError: the lines are larger than the limit.
            OSError: as the disk has it.
        """
        for _ in range(_BLOCKS_PER_STEP):
            raw = os.pread(self._descriptor, _BLOCK, self._position)
            data = raw.removeprefix(self._mark) if self._position == 0 else raw
            self._position += len(raw)
            self._take(self._as_bytes(data, final=not raw))
            if not raw:
                return True
        return False

    def lines(self) -> Lines:
        """Return what was kept, when the end is reached.

        Raises:
            NotTextError: it is no text.
        """
        data = bytes(self._kept)
        content = data.decode() if self._decoder is not None else unmarked(data).decode(data)
        return Lines(content, self._ends + self._open_line)

    def _as_bytes(self, data: bytes, *, final: bool) -> bytes:
        """Return text of two or four bytes a character as UTF-8, so that a line ends at a byte."""
        if self._decoder is None:
            if b"\0" in data:
                raise NotTextError
            return data
        try:
            return self._decoder.decode(data, final).encode()
        except UnicodeError:
            raise NotTextError from None

    def _take(self, data: bytes) -> None:
        ends = data.count(b"\n")
        begin = self._offset(data, ends, self._first - 1)
        end = len(data) if self._last is None else self._offset(data, ends, self._last)
        self._kept += data[begin:end]
        if len(self._kept) > self._limit:
            raise TooMuchError
        self._ends += ends
        if data:
            self._open_line = not data.endswith(b"\n")

    def _offset(self, data: bytes, ends: int, number: int) -> int:
        """Return where in `data` the text behind the line end with this number begins."""
        wanted = number - self._ends
        if wanted <= 0:
            return 0
        if wanted > ends:
            return len(data)
        return len(data) - len(data.split(b"\n", wanted)[wanted])
