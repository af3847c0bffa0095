"""Turns bytes that arrive in pieces into JSON text, piece by piece, without ever splitting a character."""

import codecs
import json
from collections.abc import Iterable, Iterator


class TextDecoder:
    """UTF-8 in pieces: a character cut by a piece's end waits for the next; invalid bytes become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """Return the characters that are complete; with `final`, all there are."""
        return self._decoder.decode(data, final)


def escaped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the inside of a JSON string that holds the text of `chunks`."""
    decoder = TextDecoder()
    for chunk in chunks:
        yield _inside(decoder.decode(chunk))
    yield _inside(decoder.decode(b"", final=True))


def line(kind: str, data: str | int) -> bytes:
    """Return one line of a stream: `{"type": kind, "data": data}`."""
    return (
        json.dumps({"type": kind, "data": data}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    )


def _inside(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()
