"""What is in a folder."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from terminal_server.files.names import shown

MOST = 10_000


class Entry(TypedDict):
    """One entry of a folder, as a client gets it."""

    name: str
    type: Literal["file", "directory"]
    size: int
    modified: float
    writable: bool


@dataclass(frozen=True)
class Listing:
    """Part of a folder's entries, sorted by name."""

    entries: list[Entry]
    total: int
    writable: bool


def listed(folder: Path, *, offset: int, limit: int) -> Listing:
    """Return the entries of a folder. May block; only what is returned is looked at closely.

    Raises:
        OSError: it is none, or may not be read.
    """
    names = sorted(os.listdir(folder))  # noqa: PTH208 - 100,000 names, not as many Path objects
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        entries = [_entry(descriptor, name) for name in names[offset : offset + limit]]
        return Listing(
            [entry for entry in entries if entry is not None], len(names), _writable(".", descriptor)
        )
    finally:
        os.close(descriptor)


def _entry(folder: int, name: str) -> Entry | None:
    """Describe what a link leads to; a broken one is described itself, so that it can be removed."""
    try:
        try:
            state = os.stat(name, dir_fd=folder)
        except OSError:
            state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return Entry(
        name=shown(name),
        type="directory" if stat.S_ISDIR(state.st_mode) else "file",
        size=state.st_size,
        modified=state.st_mtime,
        writable=_writable(name, folder),
    )


def _writable(name: str, folder: int) -> bool:
    try:
        return os.access(name, os.W_OK, dir_fd=folder, effective_ids=True)
    except OSError:
        return False
