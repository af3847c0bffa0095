"""Goes through a folder in one fixed order: by the bytes of the names, a folder before what is in it.

Links are entries like others, but never followed: there are no loops, and nothing outside is reached.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

HISTORY = ".git"
"""Git's own files, which nobody looks for. They are seen only by a search that begins in them."""

_NOT_FILES = {"/proc", "/sys", "/dev"}
"""What the kernel shows as files, without end in part: not entered on the way."""


class Entry(NamedTuple):
    """A file or a folder."""

    path: str
    """Absolute; bytes that are no UTF-8 are surrogates, as everywhere in Python."""
    relative: str
    """As seen from where the search began."""
    name: str
    is_folder: bool
    """Whether it is a folder, or a link to one."""
    is_link: bool
    is_regular: bool
    """Whether it is a file that can be read without waiting for anybody: no pipe, no device, no link."""

    @property
    def kind(self) -> str:
        """What clients call it."""
        return "directory" if self.is_folder else "file"


def walk(root: str, admits: Callable[[Entry], bool] | None = None) -> Iterator[Entry]:
    """Yield what is below `root`; what `admits` says no to is left out, with all that is in it.

    Folders that cannot be read count as empty.

    Raises:
        OSError: `root` itself cannot be read.
    """
    levels = [iter(_entries(root, ""))]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
        elif entry.name != HISTORY and (admits is None or admits(entry)):
            yield entry
            if entry.is_folder and not entry.is_link and entry.path not in _NOT_FILES:
                levels.append(_readable(entry))


def is_hidden(entry: Entry) -> bool:
    """Tell whether its name begins with a dot."""
    return entry.name.startswith(".")


def _readable(folder: Entry) -> Iterator[Entry]:
    try:
        return iter(_entries(folder.path, folder.relative + "/"))
    except OSError:
        return iter(())


def _entries(folder: str, prefix: str) -> list[Entry]:
    with os.scandir(folder) as found:
        return [_entry(one, prefix) for one in sorted(found, key=lambda one: os.fsencode(one.name))]


def _entry(found: os.DirEntry[str], prefix: str) -> Entry:
    return Entry(
        path=found.path,
        relative=prefix + found.name,
        name=found.name,
        is_folder=_is_folder(found),
        is_link=found.is_symlink(),
        is_regular=found.is_file(follow_symlinks=False),
    )


def _is_folder(found: os.DirEntry[str]) -> bool:
    try:
        return found.is_dir()
    except OSError:
        return False
