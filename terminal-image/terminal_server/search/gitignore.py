"""Which files a repository's `.gitignore` files and its `info/exclude` leave out.

Read here rather than asked of git, so that it holds in every repository below a home at once, and where there
is no git. Unlike git's, the answer does not depend on what has been committed.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from terminal_server.search.content import open_without_waiting
from terminal_server.search.globs import Part, compiled, matches_parts
from terminal_server.search.walking import HISTORY, Entry

_FILE_BYTES = 1024**2
_ESCAPED = re.compile(r"\\(.)")
_TRAILING_SPACES = re.compile(r"(?<!\\) +$")
_MEANS_MORE = frozenset("*?[")
_OUTSIDE = None


class Rule(NamedTuple):
    """One line of a `.gitignore`."""

    base: str
    """The folder it holds in, with a slash at its end."""
    parts: list[Part]
    """Of the path below the base; a single one is for names anywhere below it."""
    anchored: bool
    negated: bool
    folders_only: bool

    def matches(self, entry: Entry) -> bool:
        """Tell whether it is about this entry."""
        if self.folders_only and (not entry.is_folder or entry.is_link):
            return False
        parts = entry.path.removeprefix(self.base).split("/") if self.anchored else [entry.name]
        return matches_parts(self.parts, parts)


Rules = tuple[Rule, ...] | None
"""What holds in a folder, strongest last; None outside of any repository."""


class Ignored:
    """Tells what is left out, on one walk from `root`."""

    def __init__(self, root: str) -> None:
        self._of_folder: dict[str, Rules] = {}
        self._of_folder[root] = self._from_above(root)

    def leaves_out(self, entry: Entry) -> bool:
        """Tell whether an entry is ignored; the folder it is in must not be."""
        rules = self._in(os.path.dirname(entry.path))  # noqa: PTH120 - for every file there is: a Path is too slow
        for rule in reversed(rules or ()):
            if rule.matches(entry):
                return not rule.negated
        return False

    def _in(self, folder: str) -> Rules:
        if folder not in self._of_folder:
            above = self._in(os.path.dirname(folder))  # noqa: PTH120 - likewise
            self._of_folder[folder] = _extended(above, folder)
        return self._of_folder[folder]

    def _from_above(self, root: str) -> Rules:
        rules: Rules = _OUTSIDE
        for folder in reversed([root, *map(str, Path(root).parents)]):
            rules = _extended(rules, folder)
        return rules


def _extended(above: Rules, folder: str) -> Rules:
    """Return what holds in a folder, given what holds in the one above it."""
    if os.path.lexists(f"{folder}/{HISTORY}"):
        above = _read(f"{folder}/{HISTORY}/info/exclude", folder)
    if above is _OUTSIDE:
        return _OUTSIDE
    own = _read(f"{folder}/.gitignore", folder)
    return (*above, *own) if own else above


def _read(file: str, folder: str) -> tuple[Rule, ...]:
    try:
        with open(file, "rb", buffering=0, opener=open_without_waiting) as opened:
            text = (opened.read(_FILE_BYTES) or b"").decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    lines = text.removeprefix("\ufeff").split("\n")
    return tuple(rule for line in lines if (rule := rule_of(line, folder)) is not None)


def rule_of(line: str, folder: str) -> Rule | None:
    """Return the rule a line stands for, if it is one."""
    pattern = _TRAILING_SPACES.sub("", line.removesuffix("\r"))
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    if not pattern or (line.startswith("#") and not negated):
        return None
    folders_only = pattern.endswith("/")
    pattern = pattern.rstrip("/")
    anchored = "/" in pattern
    parts = [_as_fnmatch(part) for part in pattern.lstrip("/").split("/")]
    if not any(parts):
        return None
    return Rule(folder.rstrip("/") + "/", compiled(parts), anchored, negated, folders_only)


def _as_fnmatch(part: str) -> str:
    """Write a part of git's patterns as Python's: a backslash quotes, `[^` is `[!`."""
    return _ESCAPED.sub(_quoted, part.replace("[^", "[!"))


def _quoted(found: re.Match[str]) -> str:
    return f"[{found[1]}]" if found[1] in _MEANS_MORE else found[1]
