"""Uploads that can be resumed, by the tus protocol 1.0.0, which has clients for browsers and most languages.

`POST /files/tus?directory=` begins one, `PATCH` sends bytes, `HEAD` tells how many there are, `DELETE` gives up.
The file appears under its name with its last byte.
"""

import asyncio
import base64
import binascii
import contextlib
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from terminal_server.errors import from_os_error
from terminal_server.files.arriving import Arriving
from terminal_server.files.incoming import BlockWriter, Partial
from terminal_server.files.names import shown
from terminal_server.files.opening import opened
from terminal_server.files.resumable import MOST, TooManyUploadsError, Upload
from terminal_server.paths import BadNameError, file_name
from terminal_server.routers.common import located
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller

HEADERS = ("tus-resumable", "upload-length", "upload-metadata", "upload-offset")
"""What browsers must be allowed to send, and below, to read."""
EXPOSED = ("Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Expires")
_VERSION = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False)


@router.options("/files/tus")
async def tus_abilities() -> Response:
    """Say what is understood."""
    abilities = {"Tus-Version": "1.0.0", "Tus-Extension": "creation,expiration,termination"}
    return Response(status_code=204, headers={**_VERSION, **abilities})


@router.post("/files/tus")
async def begin_upload(
    services: Shared,
    caller: Caller,
    upload_length: Annotated[int, Header(ge=0)],
    directory: Annotated[str, Query()] = ".",
    upload_metadata: Annotated[str, Header()] = "",
) -> Response:
    """Begin an upload; the answer says where it goes on."""
    try:
        target = located(directory, services, caller) / file_name(_name_in(upload_metadata))
        upload = await asyncio.to_thread(services.files.uploads.begin, target, upload_length)
    except BadNameError as error:
        raise HTTPException(400, f"Upload-Metadata: {error}") from None
    except TooManyUploadsError:
        raise HTTPException(429, f"There are {MOST} unfinished uploads already") from None
    except OSError as error:
        raise from_os_error(error) from None
    if not upload_length:
        await _complete(upload, services)
    # Relative, so that it holds with any prefix there may be before it.
    headers = {**_VERSION, "Location": f"tus/{upload.id}", "Upload-Offset": "0"}
    return JSONResponse({"path": shown(target), "size": upload_length}, 201, headers)


@router.head("/files/tus/{upload_id}")
async def upload_state(upload_id: str, services: Shared) -> Response:
    """Say how much has arrived."""
    upload, offset = await _found(upload_id, services)
    state = await asyncio.to_thread(upload.partial.stat)
    until = datetime.fromtimestamp(state.st_mtime + services.settings.upload_retention_seconds, UTC)
    return Response(
        status_code=200,
        headers={
            **_VERSION,
            "Upload-Offset": str(offset),
            "Upload-Length": str(upload.size),
            "Upload-Expires": format_datetime(until, usegmt=True),
        },
    )


@router.patch("/files/tus/{upload_id}")
async def continue_upload(
    upload_id: str, request: Request, services: Shared, upload_offset: Annotated[int, Header(ge=0)]
) -> Response:
    """Take bytes, from where the last ones ended. What arrives of a broken request is kept.

    A request that still waits for bytes is ended: its client has come anew, and it may be long until that is noticed.
    """
    if request.headers.get("content-type") != "application/offset+octet-stream":
        raise HTTPException(415, "Content-Type must be application/offset+octet-stream")
    upload = await _found_at(upload_offset, upload_id, services)
    services.files.arrivals.take_over(upload_id)
    async with services.files.turns.turn(upload.partial):
        upload = await _found_at(upload_offset, upload_id, services)
        try:
            offset = await _take(upload, upload_offset, request, services)
        except OSError as error:
            raise from_os_error(error) from None
    return Response(status_code=204, headers={**_VERSION, "Upload-Offset": str(offset)})


@router.delete("/files/tus/{upload_id}")
async def give_up_upload(upload_id: str, services: Shared) -> Response:
    """Forget an upload, and what has arrived of it."""
    upload, _ = await _found(upload_id, services)
    services.files.arrivals.take_over(upload_id)
    async with services.files.turns.turn(upload.partial):
        await asyncio.to_thread(services.files.uploads.end, upload)
    return Response(status_code=204, headers=_VERSION)


async def _found(upload_id: str, services: Services) -> tuple[Upload, int]:
    """Return an upload and how much of it there is, what is not yet on the disk included."""
    found = await asyncio.to_thread(services.files.uploads.find, upload_id)
    if found is None:
        raise HTTPException(404, "There is no such upload, or not any more")
    upload, on_disk = found
    received = services.files.arrivals.received(upload_id)
    return upload, on_disk if received is None else received


async def _found_at(wanted: int, upload_id: str, services: Services) -> Upload:
    upload, offset = await _found(upload_id, services)
    if wanted != offset:
        raise HTTPException(409, f"Upload-Offset must be {offset}")
    return upload


async def _take(upload: Upload, offset: int, request: Request, services: Services) -> int:
    """Add the body to what is there; return how much that is then. The last byte completes the file."""
    partial = await opened(lambda: _resumed(upload, services), Partial.close)
    writer = BlockWriter(partial.write)
    try:
        async with services.files.arrivals.arriving(upload.id, offset) as arriving:
            await _receive(request, upload.size, arriving, writer)
        await writer.flush()
        await writer.written()
        if arriving.received == upload.size:
            await writer.then(partial.commit)
            await asyncio.to_thread(services.files.uploads.end, upload)
        elif arriving.ended:
            raise HTTPException(409, "Another request goes on with the upload")
    finally:
        await asyncio.shield(_closed(partial, writer))
    return arriving.received


async def _receive(request: Request, size: int, arriving: Arriving, writer: BlockWriter) -> None:
    with contextlib.suppress(ClientDisconnect):
        async with contextlib.aclosing(request.stream()) as body:
            async for chunk in body:
                if arriving.received + len(chunk) > size:
                    raise HTTPException(413, f"The upload was announced with {size} bytes")
                arriving.received += len(chunk)
                await writer.add(chunk)


def _resumed(upload: Upload, services: Services) -> Partial:
    return Partial.resumed(Path(upload.target), upload.partial, services.files.unfinished)


async def _closed(partial: Partial, writer: BlockWriter) -> None:
    await writer.settle()
    if partial.descriptor >= 0:
        partial.close()


async def _complete(upload: Upload, services: Services) -> None:
    """Complete an upload of nothing."""

    def complete() -> None:
        partial = _resumed(upload, services)
        try:
            partial.commit()
        finally:
            if partial.descriptor >= 0:
                partial.close()
        services.files.uploads.end(upload)

    try:
        await asyncio.to_thread(complete)
    except OSError as error:
        raise from_os_error(error) from None


def _name_in(metadata: str) -> str:
    """Return the file's name that `Upload-Metadata` carries: pairs of a name and a value in base64."""
    for pair in metadata.split(","):
        name, _, value = pair.strip().partition(" ")
        if name in {"filename", "name"}:
            try:
                return base64.b64decode(value, validate=True).decode()
            except (binascii.Error, ValueError):
                raise BadNameError(f"{name} is no text in base64") from None
    return ""
