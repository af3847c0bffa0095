"""Patterns for names: `*.py`, `src/**/*.ts`, `*.{jpg,png}`.

A pattern without a slash is for names, wherever they are; one with a slash is for whole paths below where the
search begins. There `*` stays within one folder, and `**` stands for any number of them.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

ANY_FOLDERS = "**"
_MOST_ALTERNATIVES = 256
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")

Part = Callable[[str], object] | None
"""Tells whether one name matches; None stands for any number of folders."""


class Globs:
    """Some patterns, of which one must match."""

    def __init__(self, patterns: Iterable[str], root: str) -> None:
        inside = root.rstrip("/") + "/"
        self._names: list[Callable[[str], object]] = []
        self._paths: list[list[Part]] = []
        for pattern in (one for given in patterns for one in _without_braces(given)):
            below = pattern.removeprefix(inside).removeprefix("./").rstrip("/")
            if "/" in below:
                self._paths.append(compiled(below.lstrip("/").split("/")))
            else:
                self._names.append(re.compile(fnmatch.translate(below)).match)

    def match(self, name: str, relative: str) -> bool:
        """Tell whether a name, or the path that ends with it, is meant."""
        if any(matches(name) for matches in self._names):
            return True
        parts = relative.split("/") if self._paths else []
        return any(matches_parts(path, parts) for path in self._paths)


def compiled(parts: Sequence[str]) -> list[Part]:
    """Return the parts of a path's pattern, ready for `matches_parts`."""
    return [None if part == ANY_FOLDERS else re.compile(fnmatch.translate(part)).match for part in parts]


def matches_parts(pattern: Sequence[Part], parts: Sequence[str]) -> bool:
    """Tell whether a path matches, part by part. `**` at the end wants at least one part."""
    reached = {0}
    last = len(pattern) - 1
    for part in parts:
        following = set()
        for index in _with_skipped(pattern, reached):
            matches = pattern[index]
            if matches is None:
                following |= {index, index + 1} if index == last else {index}
            elif matches(part):
                following.add(index + 1)
        reached = following
    return len(pattern) in reached


def _with_skipped(pattern: Sequence[Part], reached: Iterable[int]) -> Iterator[int]:
    """Yield the places in a pattern, and those behind a `**`, which may stand for no folder at all."""
    for index in reached:
        place = index
        while place < len(pattern):
            yield place
            if pattern[place] is not None:
                break
            place += 1


def _without_braces(pattern: str) -> list[str]:
    """Return a pattern for each alternative in braces; too many are left as they are."""
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        one = waiting.pop()
        braces = _BRACES.search(one)
        if braces is None or len(done) + len(waiting) > _MOST_ALTERNATIVES:
            done.append(one)
        else:
            waiting += [
                one[: braces.start()] + choice + one[braces.end() :] for choice in braces[1].split(",")
            ]
    return done
