"""The OpenAPI document, and the page that shows it. Both are open.

The document tells the client's model what system it is talking to. Clients fetch it with every message of a
chat, so it is made on first demand, when the system can be looked at, and kept as the bytes that are sent.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from terminal_server import __version__, pages
from terminal_server.description import look
from terminal_server.schemas import plain
from terminal_server.services import Services
from terminal_server.settings import Settings

TITLE = "Terminal"
_ABOUT = "A private Linux computer: run commands, read, write and search files, move them in and out."

_FIRST_ONLY = {"upload_file", "create_upload_link", "get_file_link"}
"""Operations that Open Terminal 0.1 shows to models, and 0.14 does not: no tool call can send a file."""


@dataclass(frozen=True)
class Document:
    """The document, as data and as it is sent."""

    content: dict[str, Any]
    body: bytes
    etag: str


class Documents:
    """Makes the document once, when it is first wanted."""

    def __init__(self, app: FastAPI, services: Services) -> None:
        self._app = app
        self._services = services
        self._making = asyncio.Lock()
        self._made: Document | None = None

    async def get(self) -> Document:
        """Return the document; whoever asks while it is made waits for the same one."""
        if self._made is None:
            async with self._making:
                self._made = self._made or await self._make()
        return self._made

    async def _make(self) -> Document:
        system = await look(self._services.settings, self._services.engine)
        content = _content(self._app, self._services.settings)
        extra = [system.sentence(), self._services.settings.execute_description]
        run = content["paths"]["/execute"]["post"]
        run["description"] = "\n\n".join(text for text in (run["description"], *extra) if text)
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Document(content, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def create_router(documents: Documents) -> APIRouter:
    """Return the routes of `/openapi.json` and `/docs`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def document(request: Request) -> Response:
        made = await documents.get()
        headers = {"ETag": made.etag, "Cache-Control": "no-cache"}
        if made.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(made.body, media_type="application/json", headers=headers)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        text, headers = pages.render("docs.html")
        return HTMLResponse(text, headers=headers)

    return router


def _content(app: FastAPI, settings: Settings) -> dict[str, Any]:
    first = settings.execute_contract == 1
    document = plain(
        get_openapi(
            title=TITLE,
            version=__version__,
            description=_ABOUT,
            routes=[
                route
                for route in app.routes
                if first or getattr(route, "operation_id", None) not in _FIRST_ONLY
            ],
            # Without, it is where the document was: who follows `localhost` from another machine would call itself.
            servers=None if settings.public_url is None else [{"url": settings.public_url}],
        )
    )
    if first:
        _require_folders(document)
    document["components"] = {"securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}}}
    document["security"] = [{"Key": []}]
    return document


def _require_folders(document: dict[str, Any]) -> None:
    """Have models say where an upload goes; that it can be said by another name as well is not for them."""
    for path in ("/files/upload", "/files/upload/link"):
        for parameter in document["paths"][path]["post"]["parameters"]:
            if parameter["name"] == "dir":
                parameter["required"] = True
                parameter["schema"].pop("default", None)
