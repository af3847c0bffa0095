"""Goes through a folder in one fixed order: all it holds itself before what is in its folders, and what is hidden last.

So what lies near the beginning of a search, and was not put there by some program, is found however much else there
is. Otherwise the order is that of the bytes of the names.

Links are entries like others, but never followed: there are no loops, and nothing outside is reached.
"""

import os
from collections.abc import Callable, Collection, Iterator
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


def walk(
    root: str, admits: Callable[[Entry], bool] | None = None, *, unseen: Collection[str] = ()
) -> Iterator[Entry]:
    """Yield what is below `root`; what `admits` says no to is left out, with all that is in it.

    Args:
        root: the folder; links may lead to it.
        admits: says which entries are wanted.
        unseen: paths, as seen from `root`, that are left out too.

    Yields:
        The entries.

    Folders that cannot be read count as empty.

    Raises:
        OSError: `root` itself cannot be read.
    """
    entries = _entries(root, "")
    levels: list[Iterator[Entry]] = []
    while True:
        folders = []
        for entry in entries:
            if entry.name != HISTORY and entry.relative not in unseen and (admits is None or admits(entry)):
                yield entry
                if entry.is_folder and not entry.is_link and entry.path not in _NOT_FILES:
                    folders.append(entry)
        levels.append(iter(folders))
        while (folder := next(levels[-1], None)) is None:
            levels.pop()
            if not levels:
                return
        entries = _readable(folder)


def is_hidden(entry: Entry) -> bool:
    """Tell whether its name begins with a dot."""
    return entry.name.startswith(".")


def _readable(folder: Entry) -> list[Entry]:
    try:
        return _entries(folder.path, folder.relative + "/")
    except OSError:
        return []


def _entries(folder: str, prefix: str) -> list[Entry]:
    with os.scandir(folder) as found:
        return [_entry(one, prefix) for one in sorted(found, key=_rank)]


def _rank(found: os.DirEntry[str]) -> tuple[bool, bytes]:
    return found.name.startswith("."), os.fsencode(found.name)


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
