"""Starts what was asked for where it should run."""

import asyncio
from pathlib import Path

from terminal_server.commands.request import Request
from terminal_server.engine import BadFolderError, Engine, Feed, Process, SpawnError, Stdin
from terminal_server.sessions import Session, WorkingDirectories

_ROOT = Path("/")
START_SECONDS = 30.0
"""Longer only takes one whose folder is on a disk that does not answer."""


class Starter:
    """Starts commands."""

    def __init__(self, engine: Engine, home: Path, directories: WorkingDirectories) -> None:
        self._engine = engine
        self._home = home
        self._directories = directories

    async def start(
        self, request: Request, session: Session, cwd: Path | None, feed: Feed, stdin: Stdin = Stdin.NOTHING
    ) -> tuple[Process, Path]:
        """Start a command; return its process, and where it was started.

        Args:
            request: what to run.
            session: whose working directory it starts in, if it does not say where.
            cwd: where to, if it says so.
            feed: gets what it prints.
            stdin: what it reads from.

        Raises:
            SpawnError: it could not be started; BadFolderError: not in `cwd`.
        """
        # A folder that was removed must not lock its user out.
        folders = [cwd] if cwd is not None else [self._directories.get(session), self._home, _ROOT]
        for folder in folders[:-1]:
            try:
                return await self._spawn(request, folder, feed, stdin), folder
            except BadFolderError:
                continue
        return await self._spawn(request, folders[-1], feed, stdin), folders[-1]

    async def _spawn(self, request: Request, folder: Path, feed: Feed, stdin: Stdin) -> Process:
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._engine.spawn(
                    request.command, cwd=folder, feed=feed, environment=request.env, stdin=stdin
                )
        except TimeoutError:
            raise SpawnError(f"{folder}: no command could be started there for {START_SECONDS:g} s") from None
