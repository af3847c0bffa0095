"""Turns bytes that arrive in pieces into JSON text, piece by piece, without ever splitting a character."""

import codecs

from pydantic_core import to_json

_LARGE = 4096
_PLAIN = bytes(code for code in range(0x20, 0x80) if chr(code) not in '"\\') + b"\n\t"
"""ASCII that stands in JSON as it is, or nearly so."""


class Escaper:
    """The inside of JSON strings: UTF-8 in pieces.

    A character cut by a piece's end waits for the next; invalid bytes become U+FFFD.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, data: bytes, *, final: bool = False) -> bytes:
        """Return more of it, up to the last character that is complete; with `final`, all there is."""
        if len(data) >= _LARGE and _is_plain(data) and not self._decoder.getstate()[0]:
            return data.replace(b"\n", b"\\n").replace(b"\t", b"\\t")
        return to_json(self._decoder.decode(data, final))[1:-1]


def _is_plain(data: bytes) -> bool:
    """Tell whether data is `_PLAIN`: more than half of the time to escape it is saved, and little lost if not."""
    return data.isascii() and b'"' not in data and b"\\" not in data and not data.translate(None, _PLAIN)


def line(kind: str, inside: bytes) -> bytes:
    """Return one line of a stream: `{"type": kind, "data": "inside"}`."""
    return b'{"type":"%b","data":"%b"}\n' % (kind.encode(), inside)


def exit_line(code: int) -> bytes:
    """Return the last line of a stream."""
    return b'{"type":"exit","data":%d}\n' % code
