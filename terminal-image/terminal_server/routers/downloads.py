"""Files out: links that need no key, views and previews, archives, comparisons."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

from fastapi import HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from terminal_server.drawn import DrawnResponse
from terminal_server.errors import from_os_error
from terminal_server.files.archive import Archive
from terminal_server.files.downloads import OpenFile, Use, open_regular
from terminal_server.files.names import disposition, found, shown
from terminal_server.files.opening import opened
from terminal_server.files.preview import PreviewError
from terminal_server.files.worker import WorkerError
from terminal_server.routers.common import EXPIRED, NEEDS_KEY, SMALL_BODY_BYTES, Link, located, make_router
from terminal_server.services import Shared
from terminal_server.sessions import Caller

router = make_router()


class Paths(BaseModel):
    """What to put into an archive."""

    paths: list[str] = Field(min_length=1, max_length=10_000)


class Pair(BaseModel):
    """What to compare."""

    original: str
    revised: str
    ignore_whitespace: bool | None = False


@router.get(
    "/files/download/link",
    operation_id="get_file_link",
    summary="Get a file download link",
    description="Returns a link to download a file with. It works without a key for 5 minutes.",
    responses={**NEEDS_KEY, 404: {"description": "File not found."}},
)
async def get_file_link(
    path: Annotated[str, Query(description="Path of the file.")], services: Shared, caller: Caller
) -> Link:
    """Make a link to a file that is there."""
    target, descriptor = await _open(located(path, services, caller))
    os.close(descriptor)
    token = services.links.token("download", str(target))
    return Link(url=f"{services.settings.base_url}/files/download/{token}")


@router.api_route("/files/download/{token}", methods=["GET", "HEAD"], include_in_schema=False)
async def download_file(token: str, services: Shared) -> Response:
    """Send the file of a link."""
    path = services.links.path("download", token)
    if path is None:
        raise HTTPException(404, EXPIRED)
    return await _file(Path(path), "attachment")


@router.api_route("/files/view", methods=["GET", "HEAD"], include_in_schema=False)
async def view_file(
    path: Annotated[str, Query()],
    request: Request,
    services: Shared,
    caller: Caller,
    preview: Annotated[bool, Query(description="Send a document as PDF, if it can be made one.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Send a file as it is, or what shows how it looks."""
    place = located(path, services, caller)
    if preview:
        target, descriptor = await _open(place)
        os.close(descriptor)
        try:
            made = await services.files.previews.rendered(target, request.receive)
        except PreviewError as error:
            raise HTTPException(error.status, str(error)) from None
        if made is not None:
            return OpenFile(made, f"{target.stem}.pdf", "inline")
    return await _file(place, "inline")


@router.api_route("/files/serve/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def serve_file(path: str, services: Shared) -> Response:
    """Send a file under its own path, so that a page finds what lies beside it."""
    return await _file(located(f"/{path}", services), "inline")


@router.post("/files/archive", include_in_schema=False, max_body_size=SMALL_BODY_BYTES)
async def archive_paths(body: Paths, services: Shared, caller: Caller) -> Response:
    """Send files and folders as one zip archive."""
    wanted = [located(path, services, caller) for path in body.paths]

    def resolved() -> list[Path]:
        paths = [found(path) for path in wanted]
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise HTTPException(404, f"There is no {shown(missing[0])}")
        return paths

    try:
        paths = await asyncio.to_thread(resolved)
    except OSError as error:
        raise from_os_error(error) from None
    name = f"{paths[0].name or 'root'}.zip" if len(paths) == 1 else "download.zip"
    return DrawnResponse(
        Archive(paths).chunks(),
        media_type="application/zip",
        headers={"Content-Disposition": disposition("attachment", name), "X-Content-Type-Options": "nosniff"},
    )


@router.post("/files/compare", include_in_schema=False, max_body_size=SMALL_BODY_BYTES)
async def compare_files(body: Pair, request: Request, services: Shared, caller: Caller) -> Response:
    """Say what differs between two files."""
    places = []
    for path in (body.original, body.revised):
        place, descriptor = await _open(located(path, services, caller))
        os.close(descriptor)
        places.append(place)
    try:
        answer = await services.files.worker.comparison(
            *places, ignore_whitespace=bool(body.ignore_whitespace), receive=request.receive
        )
    except WorkerError as error:
        raise HTTPException(error.status, str(error)) from None
    return Response(answer, media_type="application/json")


async def _file(path: Path, use: Use) -> Response:
    target, descriptor = await _open(path)
    return OpenFile(descriptor, target.name, use)


async def _open(path: Path) -> tuple[Path, int]:
    def opening() -> tuple[Path, int]:
        there = found(path)
        return there, open_regular(there)

    try:
        return await opened(opening, lambda both: os.close(both[1]))
    except OSError as error:
        raise from_os_error(error) from None
