"""One command that runs, or has run."""

import asyncio
from collections.abc import Awaitable, Callable
from subprocess import Popen

from terminal_server.engine.pipes import Pipe

TIMED_OUT = -1
"""The exit code of a command that was ended for its time being over, and of no other."""


class Process:
    """A shell with a command, the leader of its own session, and all that descends from it."""

    def __init__(
        self, popen: Popen[bytes], pipes: list[Pipe], end_tree: Callable[[], Awaitable[None]]
    ) -> None:
        self._popen = popen
        self._pipes = pipes
        self._end_tree = end_tree
        self._ended = asyncio.Event()
        self.exit_code: int | None = None
        """128 + N for a shell ended by signal N, as shells say it; None while it runs."""

    @property
    def pid(self) -> int:
        """The shell's process id, which is its session's and its group's as well."""
        return self._popen.pid

    async def wait(self) -> int:
        """Wait for the shell to end, and return its exit code. Everything it printed has been fed by then."""
        await self._ended.wait()
        if self.exit_code is None:
            raise RuntimeError("a process ended without an exit code")
        return self.exit_code

    async def end(self) -> None:
        """End the whole tree; return when nothing of it lives."""
        await self._end_tree()

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
        self._popen.returncode = code
        for pipe in self._pipes:
            pipe.finish()
        self.exit_code = code if code >= 0 else 128 - code
        self._ended.set()
