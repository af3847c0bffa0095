"""Shows how a document looks: LibreOffice, where it is installed, makes a PDF of it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from starlette.types import Receive

from terminal_server.clients import CLIENT_GONE, gone, while_there
from terminal_server.engine import Engine, Program, SpawnError
from terminal_server.files.downloads import open_regular
from terminal_server.files.opening import opened
from terminal_server.isolated import BusyError, Few

_ENDINGS = frozenset({".docx", ".pptx", ".odt", ".odp", ".doc", ".ppt", ".rtf"})
_PROGRAMS = ("soffice", "libreoffice")
_AT_A_TIME = 2
_SECONDS = 60.0
_MEMORY_KILOBYTES = 1024**2
_LIMITED = ("/bin/sh", "-c", f'ulimit -d {_MEMORY_KILOBYTES}; exec "$@"', "sh")
"""Runs what follows with a limit of memory."""


class PreviewError(Exception):
    """There is no answer; `status` says why, as HTTP does."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Previews:
    """Makes them, few at a time."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Get ready.

        Args:
            engine: what starts the program.
            folder: for what it writes; nothing stays there.
        """
        self._search = engine.environment.get("PATH", "")
        self._folder = folder
        self._few = Few(engine, at_once=_AT_A_TIME, seconds=_SECONDS)

    async def rendered(self, path: Path, receive: Receive) -> int | None:
        """Return an open PDF of a document, None if there is none to be had.

        Raises:
            PreviewError: the client has gone, or others took too long.
        """
        program = await asyncio.to_thread(_program, path, self._search)
        if program is None:
            return None
        work = await asyncio.to_thread(_work_folder, self._folder)
        if work is None:
            return None
        try:
            await self._make(_conversion(program, path, work), receive)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, work, ignore_errors=True))
            raise
        try:
            return await opened(lambda: _taken(work, f"{path.stem}.pdf"), os.close)
        except OSError:
            return None

    async def _make(self, conversion: Program, receive: Receive) -> None:
        done = await while_there(self._few.run(conversion), gone(receive))
        if done is None:
            raise PreviewError(CLIENT_GONE, "The client has gone")
        try:
            with contextlib.suppress(SpawnError):
                done.result()
        except BusyError:
            raise PreviewError(503, "Too many previews are being made") from None


def _conversion(program: str, path: Path, work: Path) -> Program:
    # A profile of its own: two at a time would wait for each other.
    profile = f"-env:UserInstallation={(work / 'profile').as_uri()}"
    options = ["--headless", "--nologo", "--norestore", "--convert-to", "pdf", "--outdir", str(work)]
    return Program([*_LIMITED, program, profile, *options, str(path)], work)


def _program(path: Path, search: str) -> str | None:
    if path.suffix.lower() not in _ENDINGS:
        return None
    return next((there for name in _PROGRAMS if (there := shutil.which(name, path=search))), None)


def _work_folder(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="preview-", dir=folder))
    except OSError:
        return None


def _taken(work: Path, name: str) -> int:
    """Open what was made, and remove the folder it was made in."""
    try:
        return open_regular(work / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
