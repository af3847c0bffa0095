"""Notebooks: opened with a kernel, run cell by cell. For interfaces, not for models, which have commands."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field

from terminal_server.errors import from_os_error
from terminal_server.notebooks.document import NotebookError
from terminal_server.notebooks.errors import (
    CellError,
    KernelEndedError,
    KernelStartError,
    TooManyNotebooksError,
)
from terminal_server.notebooks.notebooks import Notebook, Result
from terminal_server.notebooks.specs import NoKernelError, UnknownKernelError
from terminal_server.routers.common import SMALL_BODY_BYTES, located, make_router
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller, Session


class ToOpen(BaseModel):
    """Which notebook to open."""

    path: str = Field(description="The .ipynb file.")


class ToRun(BaseModel):
    """Which cell to run."""

    cell_index: int = Field(description="The cell's number, counted from 0, cells of all kinds included.")
    source: str | None = Field(
        default=None, description="New text of the cell, instead of what the file has."
    )


class Opened(BaseModel):
    """A notebook that is open."""

    id: str
    path: str
    kernel: str
    status: str


class Done(BaseModel):
    """That something was done."""

    status: str


def create_router(body_limit_bytes: int) -> APIRouter:
    """Return the routes of notebooks."""
    router = make_router(prefix="/notebooks", include_in_schema=False)

    @router.post("", max_body_size=SMALL_BODY_BYTES)
    async def open_notebook(body: ToOpen, services: Shared, session: Caller) -> Opened:
        path = located(body.path, services, session)
        with _problems():
            return _shown(await services.notebooks.open(session, path))

    @router.get("")
    async def list_notebooks(services: Shared, session: Caller) -> list[Opened]:
        return [_shown(notebook) for notebook in services.notebooks.of(session)]

    @router.get("/{name}")
    async def get_notebook(name: str, services: Shared, session: Caller) -> Opened:
        return _shown(_own(name, services, session))

    @router.delete("/{name}")
    async def close_notebook(name: str, services: Shared, session: Caller) -> Done:
        await services.notebooks.close(_own(name, services, session))
        return Done(status="stopped")

    @router.post("/{name}/execute", max_body_size=body_limit_bytes)
    async def execute_cell(name: str, body: ToRun, services: Shared, session: Caller) -> Response:
        notebook = _own(name, services, session)
        with _problems():
            result = await services.notebooks.execute(notebook, body.cell_index, body.source)
        return Response(await asyncio.to_thread(_written, result), media_type="application/json")

    @router.post("/{name}/interrupt")
    async def interrupt_cell(name: str, services: Shared, session: Caller) -> Done:
        _own(name, services, session).kernel.interrupt()
        return Done(status="interrupted")

    @router.post("/{name}/restart")
    async def restart_notebook(name: str, services: Shared, session: Caller) -> Opened:
        notebook = _own(name, services, session)
        with _problems():
            await services.notebooks.restart(notebook)
        return _shown(notebook)

    return router


def _own(name: str, services: Services, session: Session) -> Notebook:
    notebook = services.notebooks.get(session, name)
    if notebook is None:
        raise HTTPException(404, "There is no such notebook; it may have been closed")
    return notebook


def _shown(notebook: Notebook) -> Opened:
    return Opened(id=notebook.id, path=str(notebook.path), kernel=notebook.spec.name, status=notebook.status)


def _written(result: Result) -> bytes:
    answer = {
        "status": "ok" if result.ok else "error",
        "execution_count": result.execution_count,
        "outputs": result.outputs,
        "saved": result.saved,
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


@contextmanager
def _problems() -> Iterator[None]:
    """Turn what goes wrong into answers."""
    try:
        yield
    except NotebookError as error:
        raise HTTPException(400, f"path: {error}") from None
    except UnknownKernelError as error:
        raise HTTPException(400, f"path: {error}") from None
    except CellError as error:
        raise HTTPException(400, f"cell_index: {error}") from None
    except KernelEndedError as error:
        raise HTTPException(409, str(error)) from None
    except TooManyNotebooksError as error:
        raise HTTPException(429, str(error)) from None
    except (NoKernelError, KernelStartError) as error:
        raise HTTPException(503, f"The kernel could not be started: {error}") from None
    except OSError as error:
        answer = from_os_error(error)
        raise HTTPException(answer.status_code, f"path: {answer.detail}") from None
