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

TITLE = "Terminal"
_ABOUT = "A private Linux computer: run commands, read, write and search files, move them in and out."


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
        content = _content(self._app, self._services.settings.public_url)
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


def _content(app: FastAPI, public_url: str | None) -> dict[str, Any]:
    # Without, it is where the document was: who follows `localhost` from another machine would call itself.
    servers = None if public_url is None else [{"url": public_url}]
    made = get_openapi(
        title=TITLE, version=__version__, description=_ABOUT, routes=app.routes, servers=servers
    )
    document = plain(made)
    document["components"] = {"securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}}}
    document["security"] = [{"Key": []}]
    return document
