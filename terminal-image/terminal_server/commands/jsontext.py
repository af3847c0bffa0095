"""Turns bytes that arrive in pieces into JSON text, piece by piece, without ever splitting a character."""

import codecs

from pydantic_core import to_json


class TextDecoder:
    """UTF-8 in pieces: a character cut by a piece's end waits for the next; invalid bytes become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """Return the characters that are complete; with `final`, all there are."""
        return self._decoder.decode(data, final)


class Escaper:
    """The inside of a JSON string."""

    def __init__(self) -> None:
        self._decoder = TextDecoder()

    def add(self, data: bytes, *, final: bool = False) -> bytes:
        """Return more of it."""
        return to_json(self._decoder.decode(data, final=final))[1:-1]


def line(kind: str, data: str | int) -> bytes:
    """Return one line of a stream: `{"type": kind, "data": data}`."""
    return b'{"type":%b,"data":%b}\n' % (to_json(kind), to_json(data))
