r"""What a client sends to a command's input, and what it means.

Models often write `\n` as two characters, since they think of JSON. Text without a single control character that
holds such escapes is read as they mean it; text that holds a real one is taken as it is, for who sends that knows
how to.
"""

import re
from collections.abc import Iterator
from typing import Literal

Key = Literal["interrupt", "end"]

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "e": "\x1b", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([nrt0e\\]))")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEYS: dict[str, Key] = {"\x03": "interrupt", "\x04": "end"}


def meant(text: str) -> str:
    """Return what a client means by a text."""
    if _CONTROL.search(text):
        return text
    read = _ESCAPE.sub(_character, text)
    # Half of a surrogate pair is no character: nothing was meant then.
    return read if _is_text(read) else text


def parts(text: str) -> Iterator[bytes | Key]:
    """Yield what is to be done, in order: bytes to write, or keys that are more than a character."""
    for piece in re.split("([\x03\x04])", text):
        if piece in _KEYS:
            yield _KEYS[piece]
        elif piece:
            yield piece.encode()


def _character(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2]
    return chr(int(hexadecimal, 16)) if hexadecimal else _ESCAPES[match[3]]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
