"""Has work done by a Python of its own, which may fail, or never end, without harm to the server.

Neither the user's environment nor anything the user installed has a say in it. Few of a kind run at a time, and
none for long.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from terminal_server.engine import Engine, Program, collect

_PACKAGES = str(Path(__file__).parents[1])


class BusyError(Exception):
    """There was no turn in time."""


class Few:
    """Runs few programs of a kind at a time, and none for long."""

    def __init__(self, engine: Engine, *, at_once: int, seconds: float, answer_bytes: int = 0) -> None:
        """Get ready.

        Args:
            engine: what starts them.
            at_once: how many may run.
            seconds: how long one may take, and how long one may wait for its turn.
            answer_bytes: the most that one may print.
        """
        self._engine = engine
        self._turns = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._answer_bytes = answer_bytes

    async def run(self, program: Program) -> tuple[int, bytes]:
        """Run a program when it is its turn; return the exit code and the answer, as `collect` does.

        Raises:
            BusyError: others took too long.
            SpawnError: it cannot be started.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise BusyError from None
        try:
            return await collect(self._engine, program, seconds=self._seconds, most_bytes=self._answer_bytes)
        finally:
            self._turns.release()


class Isolated:
    """Starts the processes for one kind of work."""

    def __init__(
        self,
        engine: Engine,
        arguments: Sequence[str],
        *,
        at_once: int,
        seconds: float,
        answer_bytes: int,
    ) -> None:
        """Get ready; `arguments` are those of Python, one more names the folder where the server's own packages are.

        For the rest see `Few`.
        """
        self._arguments = [sys.executable, "-I", *arguments, _PACKAGES]
        self._few = Few(engine, at_once=at_once, seconds=seconds, answer_bytes=answer_bytes)

    async def run(self, task: Mapping[str, object]) -> tuple[int, bytes]:
        """Have a task done, which is read as JSON; for the rest see `Few.run`."""
        return await self._few.run(Program(self._arguments, Path("/"), script=json.dumps(task).encode()))
