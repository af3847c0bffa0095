"""Finds and ends every process of a command, wherever it went.

A process belongs to a command by descent, by its session, or, once it is an orphan that left its session, by
the mark it inherited.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from terminal_server.engine.marks import Mark

_POLL_SECONDS = 0.01
_KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Entry:
    """One process, as `/proc/PID/stat` has it."""

    pid: int
    parent: int
    session: int
    started: int


Table = dict[int, Entry]


class ProcessTable:
    """The living processes. Whoever asks at the same time shares one reading."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._read_at = -1.0
        self._table: Table = {}

    async def read(self) -> Table:
        """Return the table as it was at some moment after this call."""
        asked_at = time.monotonic()
        async with self._lock:
            if self._read_at <= asked_at:
                self._read_at = time.monotonic()
                self._table = await asyncio.to_thread(read_table)
            return self._table


def read_table() -> Table:
    """Read all living processes; zombies are not among them."""
    entries = (_entry(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return {entry.pid: entry for entry in entries if entry is not None}


def _entry(pid: int) -> Entry | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name, in parentheses, may hold anything.
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in {b"Z", b"X"}:
        return None
    return Entry(pid=pid, parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


class Family:
    """The processes of one command: its shell, `root`, and all it started."""

    def __init__(self, root: int, mark: Mark) -> None:
        self._root = root
        self._mark = mark
        self._found: set[tuple[int, int]] = set()

    def living(self, table: Table, *, led: bool) -> list[Entry]:
        """Return those that live.

        Args:
            table: all processes.
            led: whether the shell is there, be it as a zombie. When it has been collected, its number may be somebody
                else's, and be the number of another session. But that cannot be while a process of the old one lives.
        """
        me = os.getpid()
        session = [entry for entry in table.values() if entry.session == self._root]
        if not (led or any(map(self._is_known, session))):
            session = []
        orphans = [entry for entry in table.values() if entry.parent == me and self._is_known(entry)]
        found = _with_descendants(table, [entry.pid for entry in (*session, *orphans)])
        self._found = {(entry.pid, entry.started) for entry in found}
        return found

    def _is_known(self, entry: Entry) -> bool:
        return (entry.pid, entry.started) in self._found or self._mark.is_on(entry.pid)


def of_everything(table: Table) -> list[Entry]:
    """Return every descendant of this process."""
    return _with_descendants(table, [entry.pid for entry in table.values() if entry.parent == os.getpid()])


def _with_descendants(table: Table, seeds: Iterable[int]) -> list[Entry]:
    children: dict[int, list[int]] = {}
    for entry in table.values():
        children.setdefault(entry.parent, []).append(entry.pid)
    found: dict[int, Entry] = {}
    waiting = list(seeds)
    while waiting:
        pid = waiting.pop()
        if pid in table and pid not in found:
            found[pid] = table[pid]
            waiting.extend(children.get(pid, ()))
    return list(found.values())


async def end(find: Callable[[], Awaitable[list[Entry]]], grace_seconds: float | None) -> None:
    """End what `find` finds: SIGTERM, SIGKILL after the grace, until there is nothing left.

    Without a grace, SIGKILL at once.
    """
    if grace_seconds is not None:
        await _ask_to_end(find, grace_seconds)
    living = await find()
    deadline = time.monotonic() + _KILL_SECONDS
    while living and time.monotonic() < deadline:
        await _freeze(find)
        _signal(await find(), signal.SIGKILL)
        await asyncio.sleep(_POLL_SECONDS)
        living = await find()


async def _ask_to_end(find: Callable[[], Awaitable[list[Entry]]], grace_seconds: float) -> None:
    living = await find()
    # All stand still until all have been told: a script must not go on when its child is the first to end.
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
        _signal(living, number)
    deadline = time.monotonic() + grace_seconds
    while living and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        living = await find()


async def _freeze(find: Callable[[], Awaitable[list[Entry]]]) -> None:
    """Stop all of them first: what forks faster than it is killed cannot fork when it stands still."""
    frozen: set[Entry] = set()
    for _ in range(100):
        new = set(await find()) - frozen
        if not new:
            return
        _signal(new, signal.SIGSTOP)
        frozen |= new


def _signal(entries: Iterable[Entry], number: signal.Signals) -> None:
    for entry in entries:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            descriptor = os.pidfd_open(entry.pid)
            try:
                # The number may have a new owner by now; the descriptor cannot.
                current = _entry(entry.pid)
                if current is not None and current.started == entry.started:
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)
