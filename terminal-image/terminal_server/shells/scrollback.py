"""What a shell has printed last, for who connects later.

A terminal is a machine with switches: on which of its two screens it is, whether the mouse is reported, whether
a paste is marked as one. Programs turn them once, so whoever sees only the end of the output must be told how
they stood at its beginning. And programs ask the terminal questions, which must not be answered twice: the
answer would be typed into whatever runs by then.
"""

import re

_SWITCHES = frozenset(
    b"%d" % number
    for number in (
        1,
        6,
        7,
        9,
        12,
        25,
        47,
        66,
        1000,
        1002,
        1003,
        1004,
        1005,
        1006,
        1007,
        1015,
        1016,
        1047,
        1048,
    )
) | {b"1049", b"2004"}
_ON_BY_DEFAULT = frozenset((b"7", b"25"))
_OTHER_SCREEN = (b"47", b"1047", b"1049")
_SWITCHED = re.compile(rb"\x1b(?:\[\?([0-9;]{1,99})([hl])|([=>])|(c|\[!p))")
_QUESTIONS = re.compile(
    rb"\x1b\[[>=]?[0-9]*c|\x1b\[\??[0-9]+n|\x1b\[(?:1[1-9]|2[01])(?:;[0-9]+)*t|\x1b\[\??[0-9]+\$p|\x1b\[>[0-9]*q"
    rb"|\x1b\[\?u|\x1b\][0-9;]+;\?(?:\x07|\x1b\\)|\x1b\]52;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[$+]q[^\x1b]*\x1b\\|\x05"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*)?\Z")
_FINISH = re.compile(rb"\[?[0-?]*[ -/]*[@-~]")
_RESET = b"\x1bc"
_SEARCHED = 4096
_LONGEST_SEQUENCE = 64


class _Switches:
    """How the terminal's switches stand, where they are not as after a reset."""

    def __init__(self) -> None:
        self._turned: dict[bytes, bytes] = {}

    def follow(self, data: bytearray, end: int) -> None:
        """Take in what the output up to `end` turns."""
        for match in _SWITCHED.finditer(data, 0, end):
            numbers, state, keypad, reset = match.groups()
            if reset:
                self._turned.clear()
            elif keypad:
                self._turn(b"", keypad, is_default=keypad == b">")
            else:
                for number in _SWITCHES.intersection(numbers.split(b";")):
                    self._turn(number, state, is_default=(state == b"h") == (number in _ON_BY_DEFAULT))

    def copy(self) -> "_Switches":
        made = _Switches()
        made._turned = dict(self._turned)
        return made

    @property
    def other_screen(self) -> bool:
        return any(number in self._turned for number in _OTHER_SCREEN)

    def sequence(self) -> bytes:
        """Return what turns them so, after a reset."""
        return b"".join(
            b"\x1b[?" + number + state if number else b"\x1b" + state
            for number, state in self._turned.items()
        )

    def _turn(self, number: bytes, state: bytes, *, is_default: bool) -> None:
        if is_default:
            self._turned.pop(number, None)
        else:
            self._turned[number] = state


class Scrollback:
    """The last output of a shell, at most so many bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._data = bytearray()
        self._at_beginning = _Switches()

    def add(self, data: bytes) -> None:
        """Add output; as much of the oldest is dropped as there is too much."""
        self._data += data
        excess = len(self._data) - self._limit
        if excess > 0:
            cut = safe_cut(self._data, excess)
            self._at_beginning.follow(self._data, cut)
            del self._data[:cut]

    def replay(self) -> bytes:
        """Return what brings a terminal, whatever it showed, to where this one is, and asks it nothing."""
        return _RESET + self._at_beginning.sequence() + _QUESTIONS.sub(b"", self._data)

    def content(self, most: int | None = None) -> bytes:
        """Return the output as it was, or `most` bytes of it, the last."""
        excess = 0 if most is None else len(self._data) - most
        begin = safe_cut(self._data, excess) if excess > 0 else 0
        with memoryview(self._data) as view:
            return bytes(view[begin:])

    @property
    def full_screen(self) -> bool:
        """Whether a program has the whole screen for itself now, as editors do."""
        now = self._at_beginning.copy()
        now.follow(self._data, len(self._data))
        return now.other_screen


def safe_cut(data: bytearray, least: int) -> int:
    """Return where output can begin: `least` or a little later, in no character and no escape sequence.

    Best after a line; else before an escape sequence; else where a character begins.
    """
    line = data.find(b"\n", least - 1, least + _SEARCHED)
    if line >= 0:
        return line + 1
    escape = data.find(b"\x1b", least, least + _SEARCHED)
    if escape >= 0 and data[escape + 1 : escape + 2] != b"\\":
        return escape
    if _UNFINISHED.search(data, max(0, least - _LONGEST_SEQUENCE), least):
        rest = _FINISH.match(data, least)
        return rest.end() if rest else least
    while least < len(data) and data[least] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8's mark of "not the first byte"
        least += 1
    return least
