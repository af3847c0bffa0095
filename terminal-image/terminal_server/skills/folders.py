"""Finds the skills in a home's skill folders. Everything in here may block."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from terminal_server.files.names import shown
from terminal_server.skills import frontmatter

FOLDERS = (".agents/skills", ".cptr/skills", ".claude/skills", ".codex/skills")
"""Below the home, strongest first: of two skills with one name the first counts."""
FILE = "SKILL.md"
_HEAD_BYTES = 64 * 1024
_TEXT_BYTES = 1024**2
_NAME_CHARACTERS = 256
_DESCRIPTION_CHARACTERS = 1024
_MOST_SKILLS = 500
_DEPTH = 4
_MOST_RESOURCES = 50
_MOST_LOOKED_AT = 2000


class Signature(NamedTuple):
    """Changes when the file does."""

    inode: int
    size: int
    modified: int
    changed: int


Signatures = dict[str, Signature]
"""The files of the skills there are, strongest first."""


@dataclass(frozen=True)
class Skill:
    """A skill, as a client gets it."""

    id: str
    name: str
    description: str
    location: str
    """The path of its file."""
    scope: str = "global"


def look(home: Path) -> Signatures:
    """Return what tells whether anything has changed."""
    found: Signatures = {}
    for folder in FOLDERS:
        for path in _files(home / folder):
            if len(found) >= _MOST_SKILLS:
                return found
            try:
                state = os.stat(path)  # noqa: PTH116 - asked in every chat
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode):
                found[path] = Signature(state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return found


def read(path: str) -> Skill | None:
    """Return the skill a file describes; None if it cannot be read, or describes nothing."""
    values, _ = frontmatter.split(_text(path, _HEAD_BYTES))
    name = values.get("name", "")[:_NAME_CHARACTERS].strip() or Path(path).parent.name
    description = values.get("description", "")[:_DESCRIPTION_CHARACTERS].strip()
    if not description:
        return None
    return Skill(f"terminal:{quote(shown(name), safe='')}", shown(name), description, shown(path))


def content(path: str) -> tuple[str, list[str]]:
    """Return what a skill says, and the files beside it that belong to it."""
    _, body = frontmatter.split(_text(path, _TEXT_BYTES))
    resources: list[str] = []
    for relative in _resources(os.path.dirname(path)):  # noqa: PTH120 - paths are text here
        if len(resources) >= _MOST_RESOURCES:
            break
        resources.append(shown(relative))
    return body, resources


def _files(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return
    for name in names[:_MOST_LOOKED_AT]:
        yield f"{folder}/{name}/{FILE}"


def _text(path: str, limit: int) -> str:
    try:
        # What was a file a moment ago may be a pipe by now.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, limit).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _resources(folder: str) -> Iterator[str]:
    """Yield the files below a skill's folder by relative path; links to folders are not followed."""
    waiting = [(folder, "", 0)]
    looked_at = 0
    while waiting:
        place, prefix, depth = waiting.pop()
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        folders = []
        for entry in found:
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            if entry.name.startswith(".") or entry.name == FILE:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, f"{prefix}{entry.name}/", depth + 1))
            elif entry.is_file():
                yield prefix + entry.name
        if depth + 1 < _DEPTH:
            waiting.extend(reversed(folders))
