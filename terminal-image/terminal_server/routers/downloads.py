"""Files out: a link made with a key, and what it leads to."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from terminal_server.errors import from_os_error
from terminal_server.files.downloads import OpenFile, open_regular
from terminal_server.routers.common import EXPIRED, NEEDS_KEY, Link, located
from terminal_server.services import Shared

router = APIRouter()


@router.get(
    "/files/download/link",
    operation_id="get_file_link_files_download_link_get",
    summary="Get a file download link",
    description="Returns a link to download a file with. It works without a key for 5 minutes.",
    responses={**NEEDS_KEY, 404: {"description": "File not found."}},
)
async def get_file_link(
    path: Annotated[str, Query(description="Path of the file.")], services: Shared
) -> Link:
    """Make a link to a file that is there."""
    target = located(path, services)
    os.close(await _open(target))
    token = services.links.token("download", str(target))
    return Link(url=f"{services.settings.base_url}/files/download/{token}")


@router.api_route("/files/download/{token}", methods=["GET", "HEAD"], include_in_schema=False)
async def download_file(token: str, services: Shared) -> Response:
    """Send the file of a link."""
    path = services.links.path("download", token)
    if path is None:
        raise HTTPException(404, EXPIRED)
    return OpenFile(await _open(Path(path)), Path(path).name)


async def _open(path: Path) -> int:
    try:
        return await asyncio.to_thread(open_regular, path)
    except OSError as error:
        raise from_os_error(error) from None
