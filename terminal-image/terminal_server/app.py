"""The application: which routes there are, and what stands in front of them."""

import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from terminal_server import openapi, parts
from terminal_server.auth import KeyRing, RequireKey
from terminal_server.errors import CatchErrors, add_handlers
from terminal_server.factory import make_services
from terminal_server.files.addresses import is_public
from terminal_server.files.fetch import AddressCheck
from terminal_server.mcptools.endpoint import McpEndpoint
from terminal_server.metrics import Metrics
from terminal_server.middleware.activity import CountRequests
from terminal_server.middleware.observe import Observe, Observer, log_request
from terminal_server.middleware.prefix import StripPrefix
from terminal_server.middleware.tolerance import DropNothings
from terminal_server.middleware.turns import TakeTurns
from terminal_server.openapi import Documents
from terminal_server.routers import (
    about,
    commands,
    downloads,
    execute,
    files,
    files_change,
    files_tus,
    health,
    notebooks,
    proxy,
    search,
    shells,
    skills,
    uploads,
)
from terminal_server.services import Services
from terminal_server.settings import Settings

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_HEADERS = [
    "authorization",
    "content-type",
    "x-session-id",
    "x-user-id",
    *files_tus.HEADERS,
    *McpEndpoint.HEADERS,
]
_OPEN = {"/health", "/ready", "/docs", "/openapi.json", "/api/config"}
_TERMINAL = re.compile(r"/api/terminals/[^/]+")
# Only what can be a token, whatever else routes may match: to them, "link\n" is "link".
_LINKED = re.compile(r"/files/(upload|download)/(?!link\Z)[\w.-]*")


def create_app(
    settings: Settings,
    *,
    keys: KeyRing,
    variables: dict[str, str],
    may_connect: AddressCheck = is_public,
) -> FastAPI:
    """Return the application.

    Args:
        settings: what can be set.
        keys: the keys that are valid.
        variables: the environment commands start from; what is the server's own is left out.
        may_connect: which addresses a file may be fetched from.
    """
    services = make_services(settings, keys=keys, variables=variables, may_connect=may_connect)

    metrics = Metrics(services) if settings.metrics_port else None
    observers = [log_request, *([metrics.count_request] if metrics is not None else [])]

    mcp: McpEndpoint  # needs the application, which needs to know how it ends

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lambda _: parts.running(services, metrics, mcp),
        middleware=_middleware(services, observers),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    add_handlers(app)
    app.state.documents = Documents(app, services)
    mcp = McpEndpoint(app, app.state.documents, settings.command_limit_bytes)
    _include_routes(app, services, mcp)
    return app


def _include_routes(app: FastAPI, services: Services, mcp: McpEndpoint) -> None:
    settings = services.settings
    routes = app.router.routes
    for router in (
        health.router,
        execute.create_router(settings),
        commands.router,
        uploads.router,
        downloads.router,
        files.router,
        files_change.router,
        files_tus.router,
        search.router,
        skills.router,
        about.create_router(settings),
        proxy.router,
        openapi.create_router(app.state.documents),
    ):
        # As they are: a router that is included makes each of its routes once more, when a request first comes by.
        routes.extend(router.routes)
    if settings.enable_terminal:
        routes.extend(shells.router.routes)
    if settings.enable_notebooks:
        routes.extend(notebooks.create_router(settings.command_limit_bytes).routes)
    routes.extend(proxy.routes(services))
    if settings.enable_mcp:
        routes.extend(Route(path, mcp, include_in_schema=False) for path in mcp.PATHS)


def is_open(path: str) -> bool:
    """Tell whether a path needs no key. A link carries its own permission."""
    return path in _OPEN or _LINKED.fullmatch(path) is not None


def asks_itself(path: str) -> bool:
    """Tell whether a WebSocket of this path asks for the key by itself."""
    return _TERMINAL.fullmatch(path) is not None


def _middleware(services: Services, observers: Sequence[Observer]) -> list[Middleware]:
    """Return what a request passes, first to last."""
    settings = services.settings
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=_METHODS,
        allow_headers=_HEADERS,
        allow_credentials="*" not in settings.cors_origins,
        allow_private_network=True,
        expose_headers=["Content-Disposition", "Location", *files_tus.EXPOSED],
    )
    return [
        Middleware(StripPrefix, prefix=settings.path_prefix),
        Middleware(TakeTurns),
        Middleware(DropNothings),
        Middleware(Observe, observers=observers),
        cors,
        Middleware(CatchErrors),
        Middleware(RequireKey, keys=services.keys, is_open=is_open, asks_itself=asks_itself),
        Middleware(CountRequests, activity=services.activity, lifecycle=services.lifecycle, is_open=is_open),
    ]
