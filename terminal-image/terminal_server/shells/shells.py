"""The shells of this server: whose they are, how many there may be, and how long one waits for its user."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from terminal_server.engine import Engine, Program
from terminal_server.sessions import Session
from terminal_server.shells.jobs import Jobs
from terminal_server.shells.scrollback import Scrollback
from terminal_server.shells.shell import COLUMNS, NORMAL, ROWS, Shell
from terminal_server.shells.viewer import End

_RESTART = 1012
# Until then a shell that was handed out waits for its connection, whatever else is said of its time.
_EXPECTED_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 60.0


class TooManyShellsError(Exception):
    """There are as many shells as there may be."""


@dataclass(frozen=True)
class Rules:
    """What holds for every shell."""

    most: int
    linger_seconds: float
    scrollback_bytes: int
    term: str
    grace_seconds: float


class Shells:
    """Starts shells, finds them again, and ends those that nobody comes back to."""

    def __init__(self, engine: Engine, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._rules = rules
        self._clock = clock
        self._shells: dict[str, Shell] = {}
        self._starting = 0
        self._handed_out: dict[str, float] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._jobs = Jobs()

    async def open(self, session: Session, cwd: Path) -> Shell:
        """Return a shell for a session: one it has lost the connection to, else a new one.

        A page that is loaded again asks for a terminal and knows nothing of the one it had, so it is given back,
        with what runs in it. Callers without a name, who may be anybody, each get a new one.

        Raises:
            TooManyShellsError: there are too many, and each is connected, busy or waited for.
            SpawnError: it could not be started.
        """
        lost = self._lost(session) if session != Session() else None
        if lost is None:
            await self._make_room()
            lost = await self._start(session, cwd)
        self._handed_out[lost.id] = self._clock()
        return lost

    def get(self, shell_id: str) -> Shell | None:
        """Return the shell of this id, if it runs."""
        return self._shells.get(shell_id)

    def of(self, session: Session) -> Sequence[Shell]:
        """Return the shells of a session, oldest first."""
        return [shell for shell in self._shells.values() if shell.session == session]

    def current(self, session: Session) -> Shell | None:
        """Return the shell the user sees: the one that was connected last, among those that are, if any is."""
        shells = self.of(session)
        return max(shells, key=lambda shell: (shell.connected, shell.changed_at), default=None)

    async def end(self, shell: Shell) -> None:
        """Hang a shell up, and end whatever it has started."""
        await self._end(shell, End(NORMAL, "The terminal was closed"))

    async def close(self) -> None:
        """Tell every connection that the server stops, and hang up all shells."""
        end = End(_RESTART, "The server stops")
        ending = [self._end(shell, end) for shell in list(self._shells.values())]
        await asyncio.gather(*ending, *self._endings)

    def probe(self) -> str | None:
        """Tell which shell keeps the terminal awake, if one does: one in which a job runs."""
        self._jobs.look_soon([shell.pid for shell in self._shells.values()])
        busy = next((shell for shell in self._shells.values() if self._seems_busy(shell)), None)
        return None if busy is None else f"a job runs in shell {busy.id}"

    async def _start(self, session: Session, cwd: Path) -> Shell:
        program = Program([self._engine.shell], cwd, {"TERM": self._rules.term})
        self._starting += 1
        try:
            process, descriptor = await self._engine.launch_in_terminal(program, rows=ROWS, columns=COLUMNS)
        finally:
            self._starting -= 1
        shell_id = secrets.token_hex(8)
        scrollback = Scrollback(self._rules.scrollback_bytes)
        shell = Shell(shell_id, session, process, descriptor, scrollback=scrollback, on_change=self._changed)
        self._shells[shell_id] = shell
        self._changed(shell)
        return shell

    def _lost(self, session: Session) -> Shell | None:
        """Return the shell the session was connected to last and is not any more, nor about to be again."""
        lost = [shell for shell in self.of(session) if self._is_lost(shell)]
        return max(lost, key=lambda shell: shell.changed_at, default=None)

    def _is_lost(self, shell: Shell) -> bool:
        return shell.was_connected and not shell.connected and not self._is_expected(shell)

    def _is_expected(self, shell: Shell) -> bool:
        """Whether somebody has just been told of it, and has not connected yet."""
        handed_out = self._handed_out.get(shell.id)
        return handed_out is not None and self._clock() - handed_out < _EXPECTED_SECONDS

    async def _make_room(self) -> None:
        """End the shell its user left longest ago, if there are too many.

        Interfaces open one with every page, and close none.
        """
        if len(self._shells) + self._starting < self._rules.most:
            return
        await self._jobs.look([shell.pid for shell in self._shells.values()])
        left = [
            shell for shell in self._shells.values() if self._is_lost(shell) and not self._seems_busy(shell)
        ]
        if not left:
            raise TooManyShellsError
        await self.end(min(left, key=lambda shell: shell.changed_at))

    def _seems_busy(self, shell: Shell) -> bool:
        return shell.runs_in_foreground or self._jobs.in_background(shell.pid)

    def _changed(self, shell: Shell) -> None:
        """Somebody has connected to it or left, or it has ended."""
        timer = self._timers.pop(shell.id, None)
        if timer is not None:
            timer.cancel()
        if shell.ended:
            self._shells.pop(shell.id, None)
            self._handed_out.pop(shell.id, None)
        elif shell.connected:
            self._handed_out.pop(shell.id, None)
        else:
            linger = self._rules.linger_seconds
            self._let_linger(shell, linger if shell.was_connected else max(linger, _EXPECTED_SECONDS))

    def _let_linger(self, shell: Shell, seconds: float) -> None:
        def over() -> None:
            task = asyncio.create_task(self._end_unless_busy(shell))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

        self._timers[shell.id] = asyncio.get_running_loop().call_later(seconds, over)

    async def _end_unless_busy(self, shell: Shell) -> None:
        await self._jobs.look([shell.pid])
        if shell.connected or shell.ended:
            return
        if self._seems_busy(shell) or self._is_expected(shell):
            self._let_linger(shell, _ASK_AGAIN_SECONDS)
        else:
            await self.end(shell)

    async def _end(self, shell: Shell, end: End) -> None:
        await shell.close(end, self._rules.grace_seconds)
