"""Changing files: writing, replacing, moving, removing."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypedDict

from fastapi import HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field

from terminal_server.errors import from_os_error
from terminal_server.files import editing
from terminal_server.files.changing import ProtectedError, check_not_protected, move, remove
from terminal_server.files.editing import EditError
from terminal_server.files.incoming import real_target
from terminal_server.files.names import found, shown
from terminal_server.files.replacing import ReplaceError, Replacement
from terminal_server.files.unfinished import Unfinished
from terminal_server.leniency import something, unpacked
from terminal_server.routers.common import NEEDS_KEY, SMALL_BODY_BYTES, located, make_router
from terminal_server.routers.files import Place
from terminal_server.routers.uploads import Stored
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller

BODY_BYTES = 32 * 1024**2

router = make_router()


class Content(BaseModel):
    """What to write, and where."""

    path: str = Field(description="Path of the file; relative to the working directory.")
    content: str = Field(description="All of the text the file is to hold.")


LineNumber = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(something)]
Switch = Annotated[bool | None, BeforeValidator(something)]


class Chunk(BaseModel):
    """One string for another."""

    target: str = Field(min_length=1, description="The text to find, exactly, with its spaces and line ends.")
    replacement: str = Field(description="The text to put in its place.")
    start_line: LineNumber = Field(default=None, description="Look only from this line on, counted from 1.")
    end_line: LineNumber = Field(default=None, description="Look only up to this line, included.")
    allow_multiple: Switch = Field(
        default=False, description="Replace every occurrence; without it, more than one is an error."
    )


def _parsed(value: object) -> object:
    """Take the list also as models send it now and then: as the JSON text of it, or without the brackets."""
    value = unpacked(value)
    return [value] if isinstance(value, dict) else value


Chunks = Annotated[list[Chunk], BeforeValidator(_parsed)]


class Replacements(BaseModel):
    """What to replace, and where."""

    path: str = Field(description="Path of the file; relative to the working directory.")
    replacements: Chunks = Field(
        description="What to replace, one after the other; all of it is done, or nothing."
    )


class Move(BaseModel):
    """From where to where."""

    source: str
    destination: str


@router.post(
    "/files/write",
    operation_id="write_file",
    summary="Write a file",
    description="Writes text to a file: a new one, with the folders it needs, or all of an old one. To change "
    "parts of a file, use replace_file_content. The file is never seen half written, and keeps its mode, "
    "encoding and line ends. Returns path and size in bytes.",
    responses={**NEEDS_KEY, 409: {"description": "There is a folder or a document of this name."}},
    max_body_size=BODY_BYTES,
)
async def write_file(body: Content, services: Shared, caller: Caller) -> Stored:
    """Write the file."""
    async with _turn(body.path, services, caller) as target:
        size = await asyncio.to_thread(editing.write, target, body.content, **_limits(services))
    return Stored(path=shown(target), size=size)


@router.post(
    "/files/replace",
    operation_id="replace_file_content",
    summary="Replace text in a file",
    description="Finds exact strings in a text file and replaces them. All replacements are made, in order, or "
    "none: a target that is not found, or found more than once without allow_multiple, is an error that says "
    "where it was found. Returns path and size in bytes.",
    responses={
        **NEEDS_KEY,
        400: {"description": "A target was not found, or more than once."},
        404: {"description": "There is no such file."},
    },
    max_body_size=BODY_BYTES,
)
async def replace_file_content(body: Replacements, services: Shared, caller: Caller) -> Stored:
    """Replace in the file."""
    wanted = [
        Replacement(one.target, one.replacement, one.start_line, one.end_line, bool(one.allow_multiple))
        for one in body.replacements
    ]
    async with _turn(body.path, services, caller) as target:
        size = await asyncio.to_thread(editing.replace, target, wanted, **_limits(services))
    return Stored(path=shown(target), size=size)


@router.post("/files/mkdir", include_in_schema=False, max_body_size=SMALL_BODY_BYTES)
async def make_folder(body: Place, services: Shared, caller: Caller) -> JSONResponse:
    """Make a folder, and those it is in; one that is there is good as well."""
    folder = located(body.path, services, caller)
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error) from None
    return JSONResponse({"path": shown(folder)})


@router.post("/files/move", include_in_schema=False, max_body_size=SMALL_BODY_BYTES)
async def move_entry(body: Move, services: Shared, caller: Caller) -> JSONResponse:
    """Move or rename, to where nothing is."""
    source, destination = (located(path, services, caller) for path in (body.source, body.destination))

    def moved() -> Path:
        there = found(source)
        if not os.path.lexists(there):
            raise HTTPException(404, "There is no such source")
        check_not_protected(there, services.settings.home)
        if os.path.lexists(destination):
            raise HTTPException(409, "There is something at the destination already")
        if not destination.parent.is_dir():
            raise HTTPException(400, "The folder of the destination is not there")
        move(there, destination, services.files.unfinished)
        return there

    async with _long(services):
        there = await asyncio.to_thread(moved)
    return JSONResponse({"source": shown(there), "destination": shown(destination)})


@router.delete("/files/delete", include_in_schema=False)
async def delete_entry(path: Annotated[str, Query()], services: Shared, caller: Caller) -> JSONResponse:
    """Remove a file, or a folder with all that is in it."""
    target = located(path, services, caller)

    def removed() -> dict[str, str]:
        there = found(target)
        check_not_protected(there, services.settings.home)
        return {"path": shown(there), "type": remove(there)}

    async with _long(services):
        return JSONResponse(await asyncio.to_thread(removed))


@asynccontextmanager
async def _turn(path: str, services: Services, caller: Caller) -> AsyncIterator[Path]:
    """Give the file a path leads to, to nobody else meanwhile."""
    wanted = located(path, services, caller)
    try:
        target = await asyncio.to_thread(lambda: real_target(found(wanted)))
        async with services.files.turns.turn(target):
            yield target
    except EditError as error:
        raise HTTPException(error.status, str(error)) from None
    except ReplaceError as error:
        raise HTTPException(400, str(error)) from None
    except UnicodeEncodeError:
        raise HTTPException(422, "The text holds half a surrogate pair") from None
    except OSError as error:
        raise from_os_error(error) from None


class _Limits(TypedDict):
    limit_bytes: int
    unfinished: Unfinished


def _limits(services: Services) -> _Limits:
    return {"limit_bytes": services.settings.read_limit_bytes, "unfinished": services.files.unfinished}


@asynccontextmanager
async def _long(services: Services) -> AsyncIterator[None]:
    async with services.files.long:
        try:
            yield
        except ProtectedError as error:
            raise HTTPException(403, str(error)) from None
        except OSError as error:
            raise from_os_error(error) from None
