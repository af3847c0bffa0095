"""Replaces strings in a text: all that were asked for, or none.

A line feed in what is looked for is found as CRLF too, and what takes its place gets the line ends of that
place. Every other byte stays as it is.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 100
_LINES_SHOWN = 10


class ReplaceError(ValueError):
    """A replacement cannot be made; the message says which and why."""


@dataclass(frozen=True)
class Replacement:
    """One string for another."""

    target: str
    replacement: str
    start_line: int | None = None
    end_line: int | None = None
    allow_multiple: bool = False


def replaced(text: str, replacements: Sequence[Replacement]) -> str:
    """Return `text` with all replacements made, one after the other.

    Raises:
        ReplaceError: a target is not there, or more than once without leave, or the lines are none.
    """
    for index, one in enumerate(replacements):
        try:
            text = _replaced(text, one)
        except ReplaceError as error:
            raise ReplaceError(f"replacements[{index}]: {error}") from None
    return text


class _View:
    """A text as its target is looked for in it: with line feeds for CRLFs, if that is wanted.

    No regular expression does this: one that fails slowly would hold up everybody.
    """

    def __init__(self, text: str, *, loose: bool) -> None:
        self.raw = text
        self.text = text.replace("\r\n", "\n") if loose else text
        ends = re.finditer("\r\n", text) if loose else ()
        # Where in `text` the line feeds are that had a carriage return before them.
        self.dropped = array("Q", (end.start() - number for number, end in enumerate(ends)))

    def raw_slice(self, begin: int, end: int) -> slice:
        """Return what a part of `text` is in the raw text."""
        return slice(begin + bisect_left(self.dropped, begin), end + bisect_left(self.dropped, end))


def _replaced(text: str, one: Replacement) -> str:
    loose = "\n" in one.target and "\r" not in one.target and "\r\n" in text
    view = _View(text, loose=loose)
    begin, end = _lines(view.text, one.start_line, one.end_line)
    count = view.text.count(one.target, begin, end)
    if not count:
        raise ReplaceError(f"the target was not found{_elsewhere(view.text, one)}: {_shown(one.target)}")
    if count > 1 and not one.allow_multiple:
        raise ReplaceError(
            f"the target was found {count} times, in lines {_line_numbers(view.text, one.target, begin, end)}; "
            f"make it longer, narrow the lines, or set allow_multiple: {_shown(one.target)}"
        )
    if not loose:
        new = text[begin:end].replace(one.target, _fitted(one, text))
        return f"{text[:begin]}{new}{text[end:]}"
    return _replaced_in_view(view, one, begin, end)


def _replaced_in_view(view: _View, one: Replacement, begin: int, end: int) -> str:
    pieces: list[str] = []
    position = 0
    found = view.text.find(one.target, begin, end)
    while found >= 0:
        behind = found + len(one.target)
        place = view.raw_slice(found, behind)
        pieces += [view.raw[position : place.start], _fitted(one, view.raw[place])]
        position = place.stop
        found = view.text.find(one.target, behind, end)
    return "".join([*pieces, view.raw[position:]])


def _fitted(one: Replacement, near: str) -> str:
    """Return the replacement with the line ends most of the place it goes to has."""
    if "\r" in one.replacement or "\r" in one.target or "\n" not in one.replacement:
        return one.replacement
    windows = near.count("\r\n")
    return one.replacement.replace("\n", "\r\n") if windows * 2 > near.count("\n") else one.replacement


def _lines(text: str, first: int | None, last: int | None) -> tuple[int, int]:
    """Return where the lines begin and end, their line end included; None is the text's own begin or end."""
    if first is not None and last is not None and last < first:
        raise ReplaceError(f"end_line {last} is before start_line {first}")
    begin = _after(text, 0, (first or 1) - 1)
    if begin is None:
        raise ReplaceError(f"there is no line {first}, only {text.count(chr(10)) + 1}")
    end = None if last is None else _after(text, begin, last - (first or 1) + 1)
    return begin, len(text) if end is None else end


def _after(text: str, position: int, count: int) -> int | None:
    """Return the position behind so many line ends."""
    for _ in range(count):
        position = text.find("\n", position) + 1
        if position == 0:
            return None
    return position


def _elsewhere(text: str, one: Replacement) -> str:
    if one.start_line is None and one.end_line is None:
        return ""
    numbers = _line_numbers(text, one.target, 0, len(text))
    hint = f"; it is in lines {numbers}" if numbers else ", nor anywhere else"
    return f" in the lines {one.start_line or 1} to {one.end_line or 'the last'}{hint}"


def _line_numbers(text: str, target: str, begin: int, end: int) -> str:
    numbers: list[str] = []
    found = text.find(target, begin, end)
    while found >= 0 and len(numbers) < _LINES_SHOWN:
        numbers.append(str(text.count("\n", 0, found) + 1))
        found = text.find(target, found + len(target), end)
    return ", ".join(numbers) + (" …" if found >= 0 else "")


def _shown(target: str) -> str:
    return repr(target if len(target) <= _SHOWN else target[:_SHOWN] + "…")
