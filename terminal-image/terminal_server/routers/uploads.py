"""Files in: sent with a key, fetched from a URL, or sent to a link that needs no key."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from terminal_server import pages
from terminal_server.errors import from_os_error
from terminal_server.files.fetch import FetchError, name_in
from terminal_server.files.incoming import IncomingFile
from terminal_server.files.multipart import BadUploadError, FilePart
from terminal_server.files.names import shown
from terminal_server.paths import BadNameError, file_name
from terminal_server.routers.common import EXPIRED, NEEDS_KEY, Link, located
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller, Session

router = APIRouter()

_FILE = {"type": "string", "format": "binary", "description": "The file, if there is no url."}
_FORM: dict[str, Any] = {
    "requestBody": {
        "content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": _FILE}}}}
    }
}

Folder = Annotated[
    str, Query(alias="dir", description="Folder to store the file in; made if it is not there.")
]
OtherFolder = Annotated[str, Query(alias="directory", include_in_schema=False)]


class Stored(BaseModel):
    """A file that was stored."""

    path: str = Field(description="Where the file is.")
    size: int = Field(description="Its size in bytes.")


@router.post(
    "/files/upload",
    operation_id="upload_file",
    summary="Upload a file",
    description="Stores a file in a folder: the one sent as multipart form data, or the one found at `url`.",
    responses=NEEDS_KEY,
    openapi_extra=_FORM,
)
async def upload_file(
    request: Request,
    services: Shared,
    caller: Caller,
    folder: Folder = "",
    directory: OtherFolder = "",
    url: Annotated[str, Query(description="http or https address to fetch the file from.")] = "",
) -> Stored:
    """Store what is sent, or what is found at `url`."""
    place = _place(folder or directory, services, caller)
    if not url:
        return await _receive(place, request, services)
    try:
        async with services.fetcher.open(url) as download:
            return await _store(place, name_in(url), download.content(), services)
    except FetchError as error:
        raise HTTPException(error.status, str(error)) from None


@router.post(
    "/files/upload/link",
    operation_id="create_upload_link",
    summary="Create an upload link",
    description="Returns a link to a page where a file can be uploaded. It works without a key for 5 minutes.",
    responses=NEEDS_KEY,
)
async def create_upload_link(
    services: Shared, caller: Caller, folder: Folder = "", directory: OtherFolder = ""
) -> Link:
    """Make a link to a folder, which need not be there yet."""
    token = services.links.token("upload", str(_place(folder or directory, services, caller)))
    return Link(url=f"{services.settings.base_url}/files/upload/{token}")


@router.get("/files/upload/{token}", include_in_schema=False)
async def upload_page(token: str, services: Shared) -> Response:
    """Show the page of a link."""
    valid = services.links.path("upload", token) is not None
    text, headers = pages.render("upload.html" if valid else "expired.html")
    return HTMLResponse(text, status_code=200 if valid else 404, headers=headers)


@router.post("/files/upload/{token}", include_in_schema=False)
async def upload_file_via_link(token: str, request: Request, services: Shared) -> Stored:
    """Store what is sent to a link."""
    folder = services.links.path("upload", token)
    if folder is None:
        raise HTTPException(404, EXPIRED)
    return await _receive(Path(folder), request, services)


def _place(folder: str, services: Services, caller: Session) -> Path:
    return located(folder or ".", services, caller)


async def _receive(folder: Path, request: Request, services: Services) -> Stored:
    try:
        async with aclosing(request.stream()) as body:
            part = FilePart(request.headers.get("content-type"), body)
            return await _store(folder, await part.name(), part.content(), services)
    except BadUploadError as error:
        raise HTTPException(400, str(error)) from None
    except ClientDisconnect:
        raise HTTPException(400, "The upload was broken off") from None


async def _store(folder: Path, name: str, content: AsyncGenerator[bytes], services: Services) -> Stored:
    try:
        target = folder / file_name(name)
        async with aclosing(content), IncomingFile(target, services.files.unfinished) as file:
            async for chunk in content:
                await file.write(chunk)
            await file.commit()
    except BadNameError as error:
        raise HTTPException(400, str(error)) from None
    except OSError as error:
        raise from_os_error(error) from None
    return Stored(path=shown(target), size=file.size)
