"""Writes to the disk what logs have, one thread for all that are due.

Where commands end by the hundred, a thread for each log would cost the event loop more than starting the next command.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from terminal_server.commands.logfile import Appended


class Flush(NamedTuple):
    """What one log has to have written."""

    append: Callable[[], Appended]
    """Writes it. May block."""
    first: int
    """The number of its first entry."""
    last: int
    """The number before which its entries end."""
    size: int
    """The bytes of the entries."""
    problem: str
    """Why it is not all there is."""


class Flushable(Protocol):
    """A log."""

    def is_due(self) -> bool:
        """Tell whether something is to be written that is not being written; who asks has it written now."""

    def begin_flush(self) -> Flush | None:
        """Return what is to be written, if anything still is."""

    async def end_flush(self, flush: Flush, appended: Appended) -> None:
        """Take note of what has been written."""

    def flushed_by(self, task: asyncio.Task[None]) -> None:
        """Wait for a task, and for no other."""


def flush_all(logs: Iterable[Flushable]) -> None:
    """Begin to write what some logs have that is not being written."""
    due = [log for log in logs if log.is_due()]
    if due:
        task = asyncio.get_running_loop().create_task(_flush_all(due))
        for log in due:
            log.flushed_by(task)


async def _flush_all(logs: Sequence[Flushable]) -> None:
    flushes = [(log, flush) for log in logs if (flush := log.begin_flush()) is not None]
    appended = await asyncio.to_thread(_append, [flush for _, flush in flushes])
    for (log, flush), done in zip(flushes, appended, strict=True):
        await log.end_flush(flush, done)


def _append(flushes: Iterable[Flush]) -> list[Appended]:
    return [flush.append() for flush in flushes]
