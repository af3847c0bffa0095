"""Makes the output of a terminal plain, for a model: what is left to read when nothing moves the cursor.

Colours and titles say nothing to a model and cost it much. What a program wrote over, as progress bars do, is
left out; of a program that draws on the whole screen the texts remain, each piece on a line of its own.
"""

import codecs
import re

_STRINGS = re.compile(r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)", re.DOTALL)
_SEQUENCES = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\[[0-?]*[ -/]*\Z|\x1b[ -/]*(?:[0-~]|\Z)")
_ERASE, _ERASE_ALL, _RIGHT, _LEFT = "\x1a", "\x19", "\x1c", "\x1d"
"""What some sequences mean; a distance follows the last two."""
_MEANINGS = f"{_ERASE}{_ERASE_ALL}{_RIGHT}{_LEFT}"
_DISTANCE_0 = 0x100
"""The character for no distance; that for one more comes next."""
_MOVES = re.compile(f"([\r\b{_ERASE}{_ERASE_ALL}]|[{_RIGHT}{_LEFT}].)")
_CONTROLS = re.compile(r"[\x00-\x07\x0b-\x0c\x0e-\x18\x1b\x1e-\x1f\x7f]")
_WIDEST = 500
"""Where the cursor stops, as at the edge of a terminal: what a few bytes ask for may be much to write."""


def plain(data: bytes, most: int) -> str:
    """Return the last text of terminal output; a character that is not complete yet at its end is left out.

    Args:
        data: the output.
        most: how many characters are wanted. Only the lines that they need are written.
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)
    text = re.sub(f"[{_MEANINGS}]", "", text)
    text = _SEQUENCES.sub(_meaning, _STRINGS.sub("", text))
    written: list[str] = []
    missing = most
    for line in reversed(_CONTROLS.sub("", text).split("\n")):
        written.append(_written(line.rstrip("\r")))
        missing -= len(written[-1]) + 1
        if missing < 0:
            break
    return "\n".join(reversed(written))[-most:]


def _meaning(match: re.Match[str]) -> str:
    arguments, final = match.group(1) or "", match.group(2) or ""
    if final == "K":
        return _ERASE if arguments in {"", "0"} else _ERASE_ALL
    if final in {"C", "D"}:
        count = int(arguments) if arguments.isdecimal() and len(arguments) < len(str(_WIDEST)) + 1 else 1
        return (_RIGHT if final == "C" else _LEFT) + chr(_DISTANCE_0 + max(count, 1))
    return "\n" if final in {"H", "f", "J", "d", "E"} else ""


def _written(line: str) -> str:
    """Return what stands in a line in the end."""
    first, *rest = _MOVES.split(line)
    if not rest:
        return first
    cells, at = list(first), len(first)
    for move, text in zip(rest[::2], rest[1::2], strict=True):
        if move == _ERASE:
            del cells[at:]
        elif move == _ERASE_ALL:
            cells = []
        else:
            at = _moved(at, move)
        if text:
            cells += " " * (at - len(cells))
            cells[at : at + len(text)] = text
            at += len(text)
    return "".join(cells).rstrip()


def _moved(at: int, move: str) -> int:
    """Return the column to which the cursor moves."""
    if move == "\r":
        return 0
    if move == "\b":
        return max(0, at - 1)
    distance = ord(move[1]) - _DISTANCE_0
    if move[0] == _LEFT:
        return max(0, at - distance)
    return max(at, min(at + distance, _WIDEST))
