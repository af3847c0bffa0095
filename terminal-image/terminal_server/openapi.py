"""The OpenAPI document, and the page that shows it. Both are open.

The document tells the client's model what system it is talking to; it is made on first demand, when the
system can be looked at, and kept.
"""

import asyncio

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from terminal_server import __version__
from terminal_server.description import look
from terminal_server.services import Services

TITLE = "Terminal"
_ABOUT = "A private Linux shell: run commands, move files in and out."


def create_router(app: FastAPI, services: Services) -> APIRouter:
    """Return the routes of `/openapi.json` and `/docs`."""
    router = APIRouter(include_in_schema=False)
    making = asyncio.Lock()
    made: list[Response] = []

    @router.get("/openapi.json")
    async def document() -> Response:
        async with making:
            if not made:
                system = await look(services.settings, services.engine)
                made.append(JSONResponse(_document(app, services.settings.base_url, system.sentence())))
        return made[0]

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        # Relative, so that it holds with and without the prefix of the public URL.
        return get_swagger_ui_html(openapi_url="openapi.json", title=TITLE)

    return router


def _document(app: FastAPI, base_url: str, system: str) -> dict[str, object]:
    document = get_openapi(
        title=TITLE, version=__version__, description=_ABOUT, routes=app.routes, servers=[{"url": base_url}]
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"Key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path != "/health":
                operation["security"] = [{"Key": []}]
    document["paths"]["/execute"]["post"]["description"] += f"\n\n{system}"
    return document
