"""Has ripgrep say which files can match, where it is installed: it looks into many at once.

It decides nothing. Which files there are, and what matches in them, is found in the same way with and without it,
so the answers are the same; it only spares reading files that cannot match.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice

from terminal_server.search.content import Search

_FIRST_BATCH = 64
"""So few files are read sooner than ripgrep is started."""
_LARGEST_BATCH = 4096
_BATCH_BYTES = 1024**2
_OPTIONS = (
    "--no-config",
    "--files-with-matches",
    "--null",
    "--text",
    "--no-mmap",
    "--no-messages",
    "--fixed-strings",
)
_COMPLETE = {0, 1}


def installed() -> str | None:
    """Return where ripgrep is, if it is."""
    return shutil.which("rg")


def candidates(paths: Iterable[str], search: Search, ripgrep: str | None) -> Iterator[tuple[str, bool]]:
    """Yield all the paths, of regular files, in their order, and whether they may hold a match."""
    if ripgrep is None or search.needed is None:
        yield from ((path, True) for path in paths)
        return
    rest = iter(paths)
    yield from ((path, True) for path in islice(rest, _FIRST_BATCH))
    size = _FIRST_BATCH
    while batch := _batch(rest, size):
        chosen = _chosen(batch, search, ripgrep)
        yield from ((path, chosen is None or path in chosen) for path in batch)
        size = min(size * 4, _LARGEST_BATCH)


def _batch(paths: Iterator[str], size: int) -> list[str]:
    batch: list[str] = []
    length = 0
    for path in islice(paths, size):
        batch.append(path)
        length += len(os.fsencode(path)) + 1
        if length > _BATCH_BYTES:
            break
    return batch


def _chosen(paths: list[str], search: Search, ripgrep: str) -> set[str] | None:
    """Return the paths ripgrep names, or None if it could not look at them all."""
    texts = [f"--regexp={text}" for text in search.needed or ()]
    case = ["--ignore-case"] if search.case_insensitive else []
    try:
        # A child of the worker, and ended with it.
        done = subprocess.run(  # noqa: S603 - no shell, and what is given by the user stands behind "=" or "--"
            [ripgrep, *_OPTIONS, *case, *texts, "--", *paths],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return None
    if done.returncode not in _COMPLETE:
        return None
    return {os.fsdecode(path) for path in done.stdout.split(b"\0")}
