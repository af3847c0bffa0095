"""The commands of contract 2: they run whether anybody waits for them or not, and are remembered for a while."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from itertools import islice
from pathlib import Path

from terminal_server.activity import Activity
from terminal_server.commands.entries import cost
from terminal_server.commands.flushing import flush_all
from terminal_server.commands.log import Log
from terminal_server.commands.store import Store
from terminal_server.engine import Feed, Process
from terminal_server.sessions import Session
from terminal_server.settings import Settings

_log = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 4000
_MEMORY_BYTES = 16 * 1024**2
_TIDY_SECONDS = 0.02
_WRITTEN_AT_ONCE = 32
_LOG_SECONDS = 5.0
"""Longer only takes a disk that does not answer."""

Start = Callable[[Feed], Awaitable[tuple[Process, Path]]]
"""Starts a process whose output is fed to what is given; returns it, and where it was started."""


class TooManyError(Exception):
    """As many commands run as may."""


class Command:
    """One command."""

    def __init__(
        self, command_id: str, text: str, session: Session, log: Log, process: Process, cwd: Path
    ) -> None:
        self.id = command_id
        self.session = session
        self.log = log
        self.process = process
        self.cwd = cwd
        self.text = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
        """The command, shortened if it is very long."""
        self.killed = False
        self.exit_code: int | None = None
        self.listed: bytes | None = None
        """The command as lists have it, once nothing of that changes any more."""
        self.ended = asyncio.Event()
        self.ended_at = 0.0

    @property
    def status(self) -> str:
        """What has become of it."""
        if not self.ended.is_set():
            return "running"
        return "killed" if self.killed else "done"

    @property
    def log_path(self) -> str | None:
        """Where its log is, or will be in a moment; None if it could not be written."""
        return None if self.log.problem is not None and self.log.on_disk == 0 else str(self.log.path)

    async def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        if seconds > 0 and not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.ended.wait()

    def end(self, exit_code: int) -> None:
        """Take note of its end."""
        self.exit_code = exit_code
        self.ended_at = time.time()
        self.ended.set()


class Commands:
    """All commands that are remembered: a bounded number, for a bounded time."""

    def __init__(self, settings: Settings, activity: Activity) -> None:
        self._most = settings.max_commands
        self._retention = settings.log_retention_seconds
        self._answer_bytes = settings.answer_limit_bytes
        self._stop_seconds = settings.stop_seconds
        self._activity = activity
        self._store = Store(
            settings.command_logs,
            self._make_room,
            each_bytes=settings.output_limit_bytes,
            total_bytes=settings.log_total_bytes,
        )
        self._commands: OrderedDict[str, Command] = OrderedDict()
        self._finished: OrderedDict[str, Command] = OrderedDict()
        self._in_memory: OrderedDict[str, tuple[Command, int]] = OrderedDict()
        """Those that have ended, and whose output is still in memory; and how much that was when they ended.

        It may have become less, once it was written.
        """
        self._memory = 0
        self._starting = 0
        self._unwritten: list[Log] = []
        self._writing = False
        self._unwanted: list[Log] = []
        self._tidying: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin to count what earlier runs left on the disk."""
        self._do(self._look())

    async def start(self, text: str, session: Session, start: Start) -> Command:
        """Start a command.

        Raises:
            TooManyError: no more may run.
        """
        self._make_place()
        self._write()
        command_id = secrets.token_hex(6)
        log = Log(self._store.folder / f"{command_id}.log", self._store, self._answer_bytes)
        self._starting += 1
        try:
            process, cwd = await start(log.feed)
        finally:
            self._starting -= 1
        command = Command(command_id, text, session, log, process, cwd)
        self._commands[command_id] = command
        self._do(self._follow(command))
        return command

    def get(self, command_id: str, session: Session) -> Command | None:
        """Return a command of a session."""
        command = self._commands.get(command_id)
        return command if command is not None and command.session == session else None

    def of(self, session: Session) -> list[Command]:
        """Return the commands of a session, the oldest first."""
        return [command for command in self._commands.values() if command.session == session]

    async def kill(self, command: Command, *, force: bool) -> None:
        """End a command and all it started, also what it left when it ended; return when nothing of it lives."""
        if not command.ended.is_set():
            command.killed = True
        await command.process.end(force=force)
        await command.ended.wait()

    async def close(self) -> None:
        """Have everything written that the disk takes in time. Commands have ended by now."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._tidy()
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self._write_all()
        except TimeoutError:
            _log.warning("not all logs of commands are complete: their disk took too long")

    async def _write_all(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(command.log.settle() for command, _ in self._in_memory.values()))
        await self._store.close()

    async def _follow(self, command: Command) -> None:
        with self._activity.busy("a command runs"):
            exit_code = await command.process.wait()
            command.log.finish()
            if command.log.size + cost(0) * command.log.last > self._answer_bytes:
                # Who is told that it has ended may look there for what the answer leaves out.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOG_SECONDS):
                        await command.log.settle()
            command.end(exit_code)
        if command.id in self._commands:
            size = command.log.memory
            self._finished[command.id] = command
            self._in_memory[command.id] = command, size
            self._memory += size
            self._unwritten.append(command.log)
            self._tidy_later()
            self._set_expiry()
            self._free_memory()

    def _write(self) -> None:
        """Begin to write the logs of those that have ended: a moment later, or when the next one is to start.

        While some are written others end: those are written next, together.
        """
        if self._unwritten and not self._writing:
            self._writing = True
            self._do(self._write_ended())

    async def _write_ended(self) -> None:
        while self._unwritten:
            logs, self._unwritten = self._unwritten[:_WRITTEN_AT_ONCE], self._unwritten[_WRITTEN_AT_ONCE:]
            flush_all(logs)
            await _settle(logs)
        self._writing = False

    def _tidy_later(self) -> None:
        # Many at once cost hardly more than one.
        self._tidying = self._tidying or asyncio.get_running_loop().call_later(_TIDY_SECONDS, self._tidy)

    def _tidy(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        self._write()
        logs, self._unwanted = self._unwanted, []
        if logs:
            self._do(_remove(logs))

    def _make_place(self) -> None:
        while len(self._commands) + self._starting >= self._most:
            if not self._forget_oldest():
                raise TooManyError(f"{self._most} commands run already")
        self._store.forget_leftovers(before=0, most=self._most - len(self._commands))

    def _make_room(self) -> bool:
        # Not one that is still being written, be it the one that asks for room.
        written = (command for command in self._finished.values() if command.log.settled)
        return self._forget(next(written, None))

    def _forget_oldest(self) -> bool:
        return self._forget(next(iter(self._finished.values()), None))

    def _forget(self, command: Command | None) -> bool:
        if command is None:
            return False
        del self._finished[command.id]
        del self._commands[command.id]
        if (kept := self._in_memory.pop(command.id, None)) is not None:
            self._memory -= kept[1]
        command.log.give_up()
        self._unwanted.append(command.log)
        self._tidy_later()
        return True

    def _free_memory(self) -> None:
        while self._memory > _MEMORY_BYTES:
            _, (command, size) = self._in_memory.popitem(last=False)
            self._memory -= size
            self._do(command.log.release())

    async def _look(self) -> None:
        await self._store.look()
        self._expire()

    def _expire(self) -> None:
        self._expiry = None
        before = time.time() - self._retention
        self._store.forget_leftovers(before=before, most=self._most)
        while self._finished and next(iter(self._finished.values())).ended_at < before:
            self._forget_oldest()
        self._set_expiry()

    def _set_expiry(self) -> None:
        if self._expiry is not None:
            return
        times = [leftover.written_at for leftover in islice(self._store.leftovers, 1)]
        times += [command.ended_at for command in islice(self._finished.values(), 1)]
        if times:
            seconds = min(times) + self._retention - time.time()
            self._expiry = asyncio.get_running_loop().call_later(max(1.0, seconds), self._expire)

    def _do(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _settle(logs: list[Log]) -> None:
    for log in logs:
        await log.settle()


async def _remove(logs: list[Log]) -> None:
    await _settle(logs)

    def remove() -> None:
        for log in logs:
            log.file.remove()

    await asyncio.to_thread(remove)
