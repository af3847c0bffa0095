"""Shows how a document looks: LibreOffice, where it is installed, makes a PDF of it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from terminal_server.engine import Engine, Program, SpawnError, collect
from terminal_server.files.downloads import open_regular
from terminal_server.files.opening import opened

_ENDINGS = frozenset({".docx", ".pptx", ".odt", ".odp", ".doc", ".ppt", ".rtf"})
_PROGRAMS = ("soffice", "libreoffice")
_SECONDS = 60.0


async def rendered(path: Path, engine: Engine, folder: Path) -> int | None:
    """Return an open PDF of a document, None if there is none to be had.

    Args:
        path: the document.
        engine: what starts the program.
        folder: for what it writes; nothing stays there.
    """
    program = await asyncio.to_thread(_program, path, engine.environment.get("PATH", ""))
    if program is None:
        return None
    work = await asyncio.to_thread(_work_folder, folder)
    if work is None:
        return None
    try:
        await _convert(program, path, engine, work)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, work, ignore_errors=True))
        raise
    try:
        return await opened(lambda: _taken(work, f"{path.stem}.pdf"), os.close)
    except OSError:
        return None


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


async def _convert(program: str, path: Path, engine: Engine, work: Path) -> None:
    # A profile of its own: two at a time would wait for each other.
    profile = f"-env:UserInstallation={(work / 'profile').as_uri()}"
    options = ["--headless", "--nologo", "--norestore", "--convert-to", "pdf", "--outdir", str(work)]
    with contextlib.suppress(SpawnError):
        await collect(engine, Program([program, profile, *options, str(path)], work), seconds=_SECONDS)


def _taken(work: Path, name: str) -> int:
    """Open what was made, and remove the folder it was made in."""
    try:
        return open_regular(work / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
