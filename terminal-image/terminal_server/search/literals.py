"""Finds text that every match of a regular expression must hold: a file without it need not be looked at.

Careful rather than clever. What is not understood gives no text, and then every file is looked at.
"""

import re

_SPECIAL_GROUP = re.compile(r"\(\?[^:=!<P>]")
"""Flags, comments, conditions: they change how the rest is read."""
_QUANTIFIER = re.compile(r"[*+?]|\{\d*(,\d*)?\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_CODES = frozenset("xuUN0123456789")
_LATIN_1 = 0xFF
_FOLDED_WITH_OTHERS = frozenset("iks")
"""ASCII letters that are the same as a letter outside of ASCII when case does not count."""


def of_regex(pattern: str, *, case_insensitive: bool) -> tuple[str, ...] | None:
    """Return texts of which every match of a valid pattern holds at least one; None if there are none such."""
    if _SPECIAL_GROUP.search(pattern):
        return None
    alternatives: list[list[str]] = [[""]]
    place = 0
    while place < len(pattern):
        character = pattern[place]
        runs = alternatives[-1]
        quantifier = _QUANTIFIER.match(pattern, place)
        if character == "\\":
            following = pattern[place + 1 : place + 2]
            if following in _CODES:
                return None
            _add(runs, following if not following.isalnum() else "", case_insensitive=case_insensitive)
            place += 2
        elif character in "[(":
            runs.append("")
            place = _end_of_class(pattern, place) if character == "[" else _end_of_group(pattern, place)
        elif quantifier:
            runs[-1:] = [runs[-1][:-1], ""]
            place = quantifier.end()
        elif character == "|":
            alternatives.append([""])
            place += 1
        else:
            plain = character not in ".^$)]{}"
            _add(runs, character if plain else "", case_insensitive=case_insensitive)
            place += 1
    return _longest(alternatives)


def of_text(text: str, *, case_insensitive: bool) -> tuple[str, ...] | None:
    """Return a part of a plain text by which it can be found, if there is any."""
    runs = [""]
    for character in text:
        _add(runs, character, case_insensitive=case_insensitive)
    return _longest([runs])


def _add(runs: list[str], character: str, *, case_insensitive: bool) -> None:
    """Lengthen the last run, or begin a new one if the character is not surely found as it is."""
    certain = character != "" and character.isprintable()
    certain = certain and (character.isascii() or not _in_eight_bits(character))
    if case_insensitive:
        certain = certain and character.isascii() and character.lower() not in _FOLDED_WITH_OTHERS
    if certain:
        runs[-1] += character
    else:
        runs.append("")


def _in_eight_bits(character: str) -> bool:
    """Tell whether a file may hold it as a single byte: those that are no UTF-8 are read as Windows-1252."""
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return ord(character) <= _LATIN_1
    return True


def _longest(alternatives: list[list[str]]) -> tuple[str, ...] | None:
    longest = tuple(max(runs, key=len) for runs in alternatives)
    return longest if all(longest) else None


def _end_of_class(pattern: str, place: int) -> int:
    found = _CLASS.match(pattern, place)
    return found.end() if found else len(pattern)


def _end_of_group(pattern: str, place: int) -> int:
    depth = 0
    while place < len(pattern):
        character = pattern[place]
        if character == "[":
            place = _end_of_class(pattern, place)
            continue
        depth += {"(": 1, ")": -1}.get(character, 0)
        place += 2 if character == "\\" else 1
        if depth == 0:
            break
    return place
