"""Looking at files: what is in a folder, what is in a file, and where a chat is."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

from fastapi import HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from terminal_server.documents.kinds import BEGINNING_BYTES, kind_of
from terminal_server.encodings import NotTextError
from terminal_server.errors import from_os_error
from terminal_server.files import listing
from terminal_server.files.downloads import OpenFile, media_type, open_regular
from terminal_server.files.names import found, shown
from terminal_server.files.opening import opened
from terminal_server.files.reading import LineReader, TooMuchError
from terminal_server.files.worker import WorkerError
from terminal_server.paths import BadNameError, absolute
from terminal_server.routers.common import NEEDS_KEY, SMALL_BODY_BYTES, located, make_router
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller

router = make_router()

_READ_SECONDS = 120.0
_TOO_LARGE = (
    "This is more than one answer can hold ({limit} bytes): read less of it with start_line and end_line"
)


class Place(BaseModel):
    """A folder."""

    path: str = Field(description="Path of the folder.")


FolderPath = Annotated[
    str, Query(description="Path of the folder; relative to the working directory. Default: that directory.")
]
FilePath = Annotated[str, Query(description="Path of the file; relative to the working directory.")]


@router.get(
    "/files/list",
    operation_id="list_files",
    summary="List a folder",
    description="Lists the entries of a folder, sorted by name: name, type (file or directory), size in bytes, "
    "time of the last change (seconds since 1970), and whether it may be written to. A folder of more than "
    "10000 entries is listed in parts: `truncated` says so, and `offset` gives the next part.",
    responses={**NEEDS_KEY, 404: {"description": "There is no such folder."}},
)
async def list_files(
    services: Shared,
    caller: Caller,
    directory: FolderPath = ".",
    offset: Annotated[int, Query(ge=0, description="How many entries to leave out.")] = 0,
    limit: Annotated[
        int, Query(ge=1, le=listing.MOST, description="How many entries to return at most.")
    ] = listing.MOST,
) -> Response:
    """Answer with a folder's entries."""
    folder = located(directory, services, caller)

    def answer() -> bytes:
        there = found(folder)
        listed = listing.listed(there, offset=offset, limit=limit)
        return _json(
            {
                "dir": shown(there),
                "writable": listed.writable,
                "entries": listed.entries,
                "total": listed.total,
                "truncated": offset + limit < listed.total,
            }
        )

    try:
        return Response(await asyncio.to_thread(answer), media_type="application/json")
    except NotADirectoryError:
        raise HTTPException(404, "This is not a folder") from None
    except OSError as error:
        raise from_os_error(error) from None


@router.get(
    "/files/read",
    operation_id="read_file",
    summary="Read a file",
    description="Returns the text of a file: path, content and total_lines. With start_line and end_line only "
    "those lines, which is the way to read a large file. Documents (PDF, Word, Excel, PowerPoint, OpenDocument, "
    "EPUB, RTF) are returned as text, images as they are. To show a file to the user, use display_file.",
    responses={
        **NEEDS_KEY,
        404: {"description": "There is no such file."},
        413: {"description": "It is too large for one answer: use start_line and end_line."},
        415: {"description": "It is neither text nor a document nor an image."},
    },
)
async def read_file(
    request: Request,
    path: FilePath,
    services: Shared,
    caller: Caller,
    start_line: Annotated[
        int | None, Query(ge=1, description="First line to return, from 1. Default: the first.")
    ] = None,
    end_line: Annotated[
        int | None, Query(ge=1, description="Last line to return, included. Default: the last.")
    ] = None,
) -> Response:
    """Answer with a file's text, or the file."""
    if end_line is not None and end_line < (start_line or 1):
        raise HTTPException(422, "end_line must not be before start_line")
    file = located(path, services, caller)
    try:
        file = await asyncio.to_thread(found, file)
        descriptor = await opened(lambda: open_regular(file), os.close)
    except IsADirectoryError:
        raise HTTPException(400, "This is a folder: use list_files") from None
    except OSError as error:
        raise from_os_error(error) from None
    reading = _Reading(services, file, descriptor, (start_line or 1, end_line))
    try:
        return await reading.answer(request)
    except OSError as error:
        raise from_os_error(error) from None
    finally:
        if not reading.handed_on:
            os.close(descriptor)


class _Reading:
    """One open file, on its way to being an answer."""

    def __init__(
        self, services: Services, path: Path, descriptor: int, lines: tuple[int, int | None]
    ) -> None:
        self._services = services
        self._path = path
        self._descriptor = descriptor
        self._lines = lines
        self._limit = services.settings.read_limit_bytes
        self.handed_on = False
        """Whether the descriptor is somebody else's to close."""

    async def answer(self, request: Request) -> Response:
        """Return it as a document's text, as text, or as it is."""
        beginning = await asyncio.to_thread(os.pread, self._descriptor, BEGINNING_BYTES, 0)
        kind = kind_of(self._path, beginning)
        if kind is not None:
            return await self._document(kind, request)
        try:
            return await self._text()
        except TooMuchError:
            raise HTTPException(413, _TOO_LARGE.format(limit=self._limit)) from None
        except NotTextError:
            return self._as_it_is()

    async def _document(self, kind: str, request: Request) -> Response:
        try:
            text = await self._services.files.worker.text(
                self._path,
                kind,
                shown=shown(self._path),
                lines=self._lines,
                limit_bytes=self._limit,
                receive=request.receive,
            )
        except WorkerError as error:
            raise HTTPException(error.status, str(error)) from None
        return Response(text, media_type="application/json")

    async def _text(self) -> Response:
        first, last = self._lines
        reader = LineReader(self._descriptor, first=first, last=last, limit_bytes=self._limit)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                while not await asyncio.to_thread(reader.step):
                    pass
        except TimeoutError:
            raise HTTPException(413, f"It takes more than {_READ_SECONDS:g} seconds to read this") from None
        return Response(await asyncio.to_thread(self._told, reader), media_type="application/json")

    def _told(self, reader: LineReader) -> bytes:
        lines = reader.lines()
        return _json({"path": shown(self._path), "content": lines.content, "total_lines": lines.total_lines})

    def _as_it_is(self) -> Response:
        kind = media_type(self._path)
        if not kind.startswith(self._services.settings.binary_types):
            size = os.fstat(self._descriptor).st_size
            raise HTTPException(415, f"This is neither text nor a document: {kind}, {size} bytes")
        self.handed_on = True
        return OpenFile(self._descriptor, self._path.name, "inline")


@router.get(
    "/files/display",
    operation_id="display_file",
    summary="Show a file to the user",
    description="Opens a file in the user's file viewer. Use it when the user wants to see a file; its content "
    "is not returned, read_file does that. Returns path and exists.",
    responses=NEEDS_KEY,
)
async def display_file(path: FilePath, services: Shared, caller: Caller) -> Response:
    """Say where the file is, and whether it is there; the client shows it."""
    file = located(path, services, caller)

    def answer() -> dict[str, object]:
        try:
            there = found(file)
            return {"path": shown(there), "exists": there.is_file()}
        except OSError:
            return {"path": shown(file), "exists": False}

    return JSONResponse(await asyncio.to_thread(answer))


@router.get("/files/cwd", include_in_schema=False)
async def get_cwd(services: Shared, caller: Caller) -> JSONResponse:
    """Say where the chat is, and where file browsers begin."""
    settings = services.settings
    cwd = services.directories.get(caller)
    if not await asyncio.to_thread(cwd.is_dir):
        cwd = settings.start
    answer: dict[str, object] = {"cwd": shown(cwd), "home": shown(settings.start)}
    root = _browser_root(settings.file_browser_root, settings.start)
    if root is not None:
        answer["root"] = {
            "path": shown(root),
            "label": "Home" if root == settings.start else shown(root.name) or "/",
        }
    return JSONResponse(answer)


@router.post("/files/cwd", include_in_schema=False, max_body_size=SMALL_BODY_BYTES)
async def set_cwd(body: Place, services: Shared, caller: Caller) -> JSONResponse:
    """Go to a folder."""
    folder = located(body.path, services, caller)

    def entered() -> Path:
        there = found(folder)
        if not there.is_dir():
            raise HTTPException(404, "There is no such folder")
        if not os.access(there, os.X_OK, effective_ids=True):
            raise HTTPException(403, "This folder may not be entered")
        return there

    try:
        there = await asyncio.to_thread(entered)
    except OSError as error:
        raise from_os_error(error) from None
    services.directories.set(caller, there)
    return JSONResponse({"cwd": shown(there)})


def _browser_root(configured: str, home: Path) -> Path | None:
    name = configured.strip()
    if name.lower() in {"", "home"}:
        return home
    if name.lower() == "filesystem":
        return None
    try:
        return absolute(name.replace("{{home}}", str(home)), home)
    except BadNameError:
        return home


def _json(answer: dict[str, object]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
