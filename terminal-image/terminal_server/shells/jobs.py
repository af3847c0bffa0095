"""Knows in which shells something runs in the background.

The kernel tells of the job in the foreground at once; of the others only the table of processes does, and
reading that takes milliseconds: it is done beside, and what is known is a moment old.
"""

import asyncio
import time
from collections.abc import Collection

from terminal_server.engine import tree

_OLD_SECONDS = 2.0


class Jobs:
    """Which shells have processes in their sessions besides themselves."""

    def __init__(self) -> None:
        self._busy: frozenset[int] = frozenset()
        self._read_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    def in_background(self, pid: int) -> bool:
        """Tell whether something ran in the session of the shell `pid` when it was last looked at.

        What has left the session, as a daemon does, is no job of the shell.
        """
        return pid in self._busy

    async def look(self, shells: Collection[int]) -> None:
        """Look now."""
        table = await asyncio.to_thread(tree.read_table)
        wanted = frozenset(shells)
        found = frozenset(entry.session for entry in table.values() if entry.pid != entry.session)
        self._busy = (self._busy - wanted) | (found & wanted)
        self._read_at = time.monotonic()

    def look_soon(self, shells: Collection[int]) -> None:
        """Look beside, if the last time was not just now."""
        if not shells:
            self._busy = frozenset()
        elif time.monotonic() - self._read_at > _OLD_SECONDS and (
            self._looking is None or self._looking.done()
        ):
            self._looking = asyncio.create_task(self.look(list(shells)))
