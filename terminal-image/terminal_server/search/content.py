"""Reads files line by line as text, however large the file, however long the line."""

import os
import re
from collections.abc import Callable, Iterator
from io import RawIOBase
from typing import NamedTuple

from terminal_server.encodings import Encoding, NotTextError, eight_bits, marked
from terminal_server.search import literals

_BLOCK = 1024**2
_LINE_BYTES = 16 * 1024**2
"""What is searched of a line; what is beyond that is passed over."""
_SHOWN = 500
"""Characters of a line in an answer."""
_BEFORE = 100
_MARK = "…"


class Found(NamedTuple):
    """A line that matches."""

    number: int
    text: str
    start: int
    """Where in the text the match begins."""

    def shown(self) -> str:
        """Return the line, or what is around the match if it is long."""
        if len(self.text) <= _SHOWN:
            return self.text
        begin = 0 if self.start < _SHOWN - _BEFORE else self.start - _BEFORE
        part = self.text[begin : begin + _SHOWN]
        return f"{_MARK if begin else ''}{part}{_MARK if begin + _SHOWN < len(self.text) else ''}"


class Search:
    """Something to look for in lines.

    Raises:
        re.error: the pattern is no regular expression.
    """

    def __init__(self, query: str, *, regex: bool, case_insensitive: bool) -> None:
        needed = literals.of_regex if regex else literals.of_text
        self._search = re.compile(
            query if regex else re.escape(query), re.IGNORECASE if case_insensitive else 0
        ).search
        self.needed = needed(query, case_insensitive=case_insensitive)
        """Texts of which a file that matches holds at least one; None if that is not known."""
        self.case_insensitive = case_insensitive

    def lines(self, path: str) -> Iterator[Found]:
        """Yield the lines of a file that match; none if it is not a text file, or cannot be read."""
        may_match = self._filter()
        try:
            with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
                for number, block in _blocks(file):
                    if may_match(block):
                        yield from self._in_block(number, block)
        except (OSError, NotTextError):
            return

    def _in_block(self, number: int, block: bytes) -> Iterator[Found]:
        for index, line in enumerate(_decoded(block)):
            text = line.removesuffix("\r")
            match = self._search(text)
            if match is not None:
                yield Found(number + index, text, match.start())

    def _filter(self) -> Callable[[bytes], bool]:
        if self.needed is None:
            return lambda _: True
        needed = [text.encode() for text in self.needed]
        if not self.case_insensitive:
            return lambda block: any(text in block for text in needed)
        lowered = [text.lower() for text in needed]

        def may_match(block: bytes) -> bool:
            block = block.lower()
            return any(text in block for text in lowered)

        return may_match


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file as `open` wants it of an opener; a pipe nobody writes to is opened, and is empty."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def _blocks(file: RawIOBase) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines, many at once, with the number of the first.

    Raises:
        NotTextError: what comes now is no text.
    """
    number, rest, skipping = 1, b"", False
    for data in _as_bytes(file):
        if b"\0" in data:
            raise NotTextError
        cut = data.rfind(b"\n") + 1
        if cut:
            begin = data.index(b"\n") if skipping else 0
            block = rest + data[begin:cut]
            yield number, block
            number += block.count(b"\n")
            rest, skipping = data[cut:], False
        elif len(rest) < _LINE_BYTES:
            rest += data
        else:
            skipping = True
    if rest:
        yield number, rest


def _as_bytes(file: RawIOBase) -> Iterator[bytes]:
    """Yield a file's content without its byte order mark; UTF-16 as UTF-8, if it is not too long."""
    data = file.read(_BLOCK) or b""
    encoding = marked(data[:4])
    if encoding is not None and encoding.codec.startswith("utf-16"):
        while len(data) < _LINE_BYTES and (more := file.read(_BLOCK)):
            data += more
        yield _utf8(data, encoding)
        return
    if encoding is not None and encoding.codec == "utf-8":
        data = data.removeprefix(encoding.mark)
    while data:
        yield data
        data = file.read(_BLOCK) or b""


def _utf8(data: bytes, encoding: Encoding) -> bytes:
    try:
        return encoding.decode(data).encode()
    except UnicodeError:
        raise NotTextError from None


def _decoded(block: bytes) -> list[str]:
    """Return the lines of a block. Each is decoded by itself if they are not all UTF-8; what is no text is empty."""
    block = block.removesuffix(b"\n")
    try:
        return block.decode().split("\n")
    except UnicodeDecodeError:
        return [_decoded_line(line) for line in block.split(b"\n")]


def _decoded_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        try:
            return eight_bits(line).decode(line)
        except NotTextError:
            return ""
