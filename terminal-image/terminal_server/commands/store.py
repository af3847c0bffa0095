"""The disk that the logs of commands take, in all: a budget, and what earlier runs of the server left there."""

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from terminal_server.commands.logfile import LogFile

_LOG = re.compile(r"(?P<id>[0-9a-f]{12})\.log")
_INDEX = re.compile(r"\.[0-9a-f]{12}\.index")


class Leftover(NamedTuple):
    """A log of an earlier run."""

    written_at: float
    path: Path
    size: int


class Store:
    """Says how much disk a log may take."""

    def __init__(
        self, folder: Path, make_room: Callable[[], bool], *, each_bytes: int, total_bytes: int
    ) -> None:
        """Make one.

        Args:
            folder: where the logs are.
            make_room: gives back what the oldest log takes that nobody writes any more; False if there is none.
            each_bytes: the most a log may take.
            total_bytes: the most all may take.
        """
        self.folder = folder
        self._make_room = make_room
        self.leftovers: deque[Leftover] = deque()
        """The oldest first."""
        self._each = each_bytes
        self._total = total_bytes
        self._used = 0
        self._removing: set[asyncio.Future[None]] = set()

    def reserve(self, size: int, already: int) -> tuple[int, str]:
        """Return how much of `size` bytes a log that has `already` so many may take, and why it is not all."""
        granted, reason = size, ""
        if already + size > self._each:
            granted, reason = max(0, self._each - already), f"a log has at most {self._each} bytes"
        while self._used + granted > self._total and (self._forget_leftover() or self._make_room()):
            pass
        if self._used + granted > self._total:
            granted = max(0, self._total - self._used)
            reason = f"all logs have at most {self._total} bytes"
        self._used += granted
        return granted, reason

    def give_back(self, size: int) -> None:
        """Say that reserved bytes are not used."""
        self._used -= size

    async def look(self) -> None:
        """See what earlier runs left."""
        found = await asyncio.to_thread(_leftovers, self.folder)
        self.leftovers.extend(found)
        self._used += sum(leftover.size for leftover in found)

    def forget_leftovers(self, *, before: float, most: int) -> None:
        """Delete the logs of earlier runs that are too old or too many."""
        while self.leftovers and (self.leftovers[0].written_at < before or len(self.leftovers) > most):
            self._forget_leftover()

    async def close(self) -> None:
        """Wait until everything is deleted that should be."""
        await asyncio.gather(*self._removing, return_exceptions=True)

    def _forget_leftover(self) -> bool:
        if not self.leftovers:
            return False
        leftover = self.leftovers.popleft()
        self._used -= leftover.size
        removing = asyncio.get_running_loop().run_in_executor(None, LogFile(leftover.path).remove)
        self._removing.add(removing)
        removing.add_done_callback(self._removing.discard)
        return True


def _leftovers(folder: Path) -> list[Leftover]:
    """Return the logs in a folder, the oldest first. Indexes are of no use any more."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _INDEX.fullmatch(entry.name):
                    Path(entry.path).unlink()
                elif _LOG.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    found.append(Leftover(status.st_mtime, Path(entry.path), status.st_size))
    except OSError:
        # No folder, no logs.
        pass
    return sorted(found)
