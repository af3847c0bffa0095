"""Makes the output of a terminal plain, for a model: what is left to read when nothing moves the cursor.

Colours and titles say nothing to a model and cost it much. What a program wrote over, as progress bars do, is
left out; of a program that draws on the whole screen the texts remain, each piece on a line of its own.
"""

import codecs
import re

_STRINGS = re.compile(r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)", re.DOTALL)
_SEQUENCES = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\[[0-?]*[ -/]*\Z|\x1b[ -/]*(?:[0-~]|\Z)")
_ERASE, _ERASE_ALL = "\x1a", "\x19"
_MOVES = re.compile(f"[\r\b{_ERASE}{_ERASE_ALL}]")
_CONTROLS = re.compile(r"[\x00-\x07\x0b-\x0c\x0e-\x18\x1b-\x1f\x7f]")
_WIDEST = 500


def plain(data: bytes) -> str:
    """Return the text of terminal output; a character that is not complete yet at its end is left out."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)
    text = re.sub(f"[{_ERASE}{_ERASE_ALL}]", "", text)
    text = _SEQUENCES.sub(_meaning, _STRINGS.sub("", text))
    lines = _CONTROLS.sub("", text).split("\n")
    return "\n".join(_written(line.rstrip("\r")) for line in lines)


def _meaning(match: re.Match[str]) -> str:
    arguments, final = match.group(1) or "", match.group(2) or ""
    if final == "K":
        return _ERASE if arguments in {"", "0"} else _ERASE_ALL
    if final in {"C", "D"}:
        count = int(arguments) if arguments.isdecimal() and len(arguments) < len(str(_WIDEST)) + 1 else 1
        return (" " if final == "C" else "\b") * min(max(count, 1), _WIDEST)
    return "\n" if final in {"H", "f", "J", "d", "E"} else ""


def _written(line: str) -> str:
    """Return what stands in a line in the end."""
    if not _MOVES.search(line):
        return line
    cells: list[str] = []
    at = 0
    for character in line:
        if character == "\r":
            at = 0
        elif character == "\b":
            at = max(0, at - 1)
        elif character == _ERASE:
            del cells[at:]
        elif character == _ERASE_ALL:
            cells = [" "] * at
        else:
            cells[at : at + 1] = character
            at += 1
    return "".join(cells).rstrip()
