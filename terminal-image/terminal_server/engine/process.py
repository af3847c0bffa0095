"""One command that runs, or has run."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

from terminal_server.engine.input import Input
from terminal_server.engine.pipes import Pipe

TIMED_OUT = -1
"""The exit code of a command that was ended for its time being over, and of no other."""


class Process:
    """A program, a shell with a command mostly, the leader of its own session, and all that descends from it."""

    def __init__(
        self,
        pid: int,
        pipes: Sequence[Pipe],
        end_tree: "EndTree",
        stdin: Input | None = None,
    ) -> None:
        self.pid = pid
        """The leader's process id, which is its session's and its group's as well."""
        self.stdin = stdin
        """Where its input is written, if it was started with one and has not ended."""
        self._pipes = pipes
        self._end_tree = end_tree
        self._ended = asyncio.Event()
        self.exit_code: int | None = None
        """128 + N for a program ended by signal N, as shells say it; None while it runs."""

    async def wait(self) -> int:
        """Wait for the program to end, and return its exit code. Everything it printed has been fed by then."""
        await self._ended.wait()
        if self.exit_code is None:
            raise RuntimeError("a process ended without an exit code")
        return self.exit_code

    async def end(self, *, force: bool = False) -> None:
        """End the whole tree, with `force` without asking first; return when nothing of it lives.

        When the program has ended that is what it left in the background.
        """
        await self._end_tree(self, force)

    def interrupt(self) -> None:
        """Interrupt it as Ctrl-C does: its process group is sent SIGINT. Does nothing when it has ended."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGINT)

    async def run(self, timeout_seconds: float | None) -> int:
        """Wait for the end, at most so long; then, or when cancelled, end the whole tree."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self.wait()
        except TimeoutError:
            return TIMED_OUT
        finally:
            if self.exit_code is None:
                await self.end()

    def on_exit(self, code: int) -> None:
        """Take the exit code (negative: a signal) from the reaper."""
        for pipe in self._pipes:
            pipe.finish()
        if self.stdin is not None:
            self.stdin.close()
        # A command is remembered long after its end: looking for garbage takes the longer the more there is of it.
        self._pipes, self.stdin = (), None
        self.exit_code = code if code >= 0 else 128 - code
        self._ended.set()


EndTree = Callable[[Process, bool], Awaitable[None]]
"""Ends the tree of a process, by force or not."""
