"""The notebooks that are open: each has a kernel, and runs one cell at a time, in the order they are asked for.

A cell goes on when the client that asked for it goes away, as it does in Jupyter: what it gives is in the file.
Nothing is closed for not being used, unless there is no room left.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from terminal_server.activity import Activity
from terminal_server.engine import Engine
from terminal_server.files.incoming import save
from terminal_server.files.state import Files
from terminal_server.notebooks import document
from terminal_server.notebooks.document import Document, NotebookError, Print, digest
from terminal_server.notebooks.errors import CellError, KernelEndedError, TooManyNotebooksError
from terminal_server.notebooks.outputs import Output, Outputs
from terminal_server.notebooks.specs import KernelSpecs, Spec
from terminal_server.sessions import Session
from terminal_server.settings import Settings

if TYPE_CHECKING:
    from terminal_server.notebooks.kernel import Kernel, Kernels

_UNUSED_SECONDS = 1800.0
_MOST_WAITING = 100


@dataclass(frozen=True)
class Result:
    """How a run of a cell went."""

    ok: bool
    execution_count: int | None
    outputs: list[Output]
    saved: bool
    """Whether it is in the file."""


@dataclass
class Notebook:
    """A notebook that is open."""

    id: str
    path: Path
    owner: Session
    spec: Spec
    kernel: "Kernel"
    known: list[Print]
    """The cells as its client knows them: as they were when it was opened, or last run by it."""
    running: int | None = None
    waiting: int = 0
    used_at: float = field(default_factory=time.monotonic)
    closed: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def status(self) -> str:
        """`busy` while a cell runs, `dead` if its kernel has ended, otherwise `ready`."""
        if self.running is not None:
            return "busy"
        return "ready" if self.kernel.alive else "dead"


class Notebooks:
    """All open notebooks of this server."""

    def __init__(self, settings: Settings, *, engine: Engine, activity: Activity, files: Files) -> None:
        self.specs = KernelSpecs(engine, settings.home)
        self._files = files
        self._engine = engine
        self._activity = activity
        self._most = settings.max_notebooks
        self._text_limit = settings.answer_limit_bytes
        self._open: dict[str, Notebook] = {}
        self._opening = 0
        self._kernels: Kernels | None = None

    def of(self, owner: Session) -> list[Notebook]:
        """Return the notebooks of a session, oldest first."""
        return [notebook for notebook in self._open.values() if notebook.owner == owner]

    def get(self, owner: Session, name: str) -> Notebook | None:
        """Return a notebook of a session by its id."""
        notebook = self._open.get(name)
        return notebook if notebook is not None and notebook.owner == owner else None

    async def open(self, owner: Session, path: Path) -> Notebook:
        """Open a notebook, with a kernel of its own.

        Raises:
            NotebookError: it is none.
            OSError: it cannot be read.
            NoKernelError, UnknownKernelError, KernelStartError: there is no kernel for it.
            TooManyNotebooksError: as many are open as may be.
        """
        content = await asyncio.to_thread(document.read, path)
        await self._make_room()
        self._opening += 1
        try:
            spec = await self.specs.find(content.kernel, content.language)
            kernel = await self._start(spec, path)
        finally:
            self._opening -= 1
        notebook = Notebook(secrets.token_hex(6), path, owner, spec, kernel, content.prints())
        self._open[notebook.id] = notebook
        return notebook

    async def execute(self, notebook: Notebook, index: int, source: str | None) -> Result:
        """Run a cell when it is its turn, and put what it gives into the file.

        Raises:
            NotebookError, OSError: the file is no notebook any more, or cannot be read.
            CellError: there is no such cell, or it cannot be run.
            KernelEndedError: the kernel had ended before, or while the cell waited.
            TooManyNotebooksError: too many cells wait.
        """
        if notebook.waiting >= _MOST_WAITING:
            raise TooManyNotebooksError(f"{_MOST_WAITING} cells wait already")
        notebook.waiting += 1
        try:
            with self._activity.busy("a cell of a notebook runs"):
                async with notebook.turn:
                    return await self._run(notebook, index, source)
        finally:
            notebook.waiting -= 1
            notebook.used_at = time.monotonic()

    async def restart(self, notebook: Notebook) -> None:
        """Give a notebook a new kernel; a cell that runs ends with an error, and those that wait do not run.

        Raises:
            KernelStartError: there is no new one. The notebook stays, without a kernel.
        """
        old = notebook.kernel
        await old.end()
        async with notebook.turn:
            if notebook.closed or notebook.kernel is not old:
                return
            kernel = await self._start(notebook.spec, notebook.path)
            if notebook.id in self._open:
                notebook.kernel = kernel
            else:
                await kernel.end()

    async def close(self, notebook: Notebook) -> None:
        """Close a notebook and end its kernel."""
        self._open.pop(notebook.id, None)
        notebook.closed = True
        await notebook.kernel.end()

    async def stop(self) -> None:
        """Close all."""
        await asyncio.gather(*(self.close(notebook) for notebook in list(self._open.values())))
        if self._kernels is not None:
            self._kernels.close()

    async def _start(self, spec: Spec, path: Path) -> "Kernel":
        made = await asyncio.to_thread(_load)
        if self._kernels is None:
            self._kernels = made(self._engine)
        return await self._kernels.start(spec, cwd=path.parent)

    async def _make_room(self) -> None:
        """Close what has not been used for long, if there is no room.

        Pages that open a notebook do not always close it.
        """
        if len(self._open) + self._opening < self._most:
            return
        unused = [notebook for notebook in self._open.values() if not notebook.waiting]
        oldest = min(unused, key=lambda notebook: notebook.used_at, default=None)
        if oldest is None or time.monotonic() - oldest.used_at < _UNUSED_SECONDS:
            raise TooManyNotebooksError(f"{self._most} notebooks are open already; close one")
        await self.close(oldest)

    async def _run(self, notebook: Notebook, index: int, source: str | None) -> Result:
        content = await asyncio.to_thread(document.read, notebook.path)
        cell = _cell(content, index)
        code = content.source(index) if source is None else source
        if not notebook.kernel.alive:
            raise KernelEndedError(notebook.kernel.epitaph)
        outputs = Outputs(self._text_limit)
        ok, count = True, None
        notebook.running = index
        try:
            if code.strip():
                reply = await notebook.kernel.execute(code, outputs)
                ok, count = reply.ok, reply.execution_count
        except KernelEndedError as error:
            ok = False
            outputs.fail("KernelEnded", str(error))
        finally:
            notebook.running = None
        given = outputs.all()
        if source is not None and not _is_known(notebook, index, cell, code):
            return Result(ok, count, given, saved=False)
        saved = await self._save(notebook.path, index, cell, _Ran(code, given, count))
        if saved and index < len(notebook.known):
            notebook.known[index] = Print(cell.id, digest(code))
        return Result(ok, count, given, saved)

    async def _save(self, path: Path, index: int, cell: Print, ran: "_Ran") -> bool:
        """Put a run into the file, if the cell is still in it as it was; tell whether it was."""
        async with self._files.turns.turn(path):
            try:
                return await asyncio.to_thread(self._put, path, index, cell, ran)
            except (OSError, NotebookError):
                return False

    def _put(self, path: Path, index: int, cell: Print, ran: "_Ran") -> bool:
        content = document.read(path)
        place = content.find(cell, index)
        if place is None or content.kind(place) != "code":
            return False
        if content.print_of(place).digest not in {cell.digest, digest(ran.source)}:
            return False
        content.put(place, ran.source, ran.outputs, ran.execution_count)
        save(path, content.text(), self._files.unfinished)
        return True


@dataclass(frozen=True)
class _Ran:
    source: str
    outputs: list[Output]
    execution_count: int | None


def _load() -> "type[Kernels]":
    """Import what is needed for kernels. It may block."""
    from terminal_server.notebooks.kernel import Kernels  # noqa: PLC0415 - takes time and memory

    return Kernels


def _cell(content: Document, index: int) -> Print:
    """Return what the cell to run is known by."""
    if not 0 <= index < len(content):
        raise CellError(f"there is no cell {index}: the notebook has {len(content)}, counted from 0")
    if content.kind(index) != "code":
        raise CellError(f"cell {index} is not code but {content.kind(index)[:20]}")
    return content.print_of(index)


def _is_known(notebook: Notebook, index: int, cell: Print, source: str) -> bool:
    """Tell whether the text the client sent for a cell is meant for the one that is there now.

    Somebody else may have changed the file: then another cell has this number, or other text stands in it, and
    putting the client's text there would lose theirs.
    """
    return cell.digest == digest(source) or (index < len(notebook.known) and notebook.known[index] == cell)
