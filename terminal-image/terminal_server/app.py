"""The application: which routes there are, and what stands in front of them."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from terminal_server import openapi
from terminal_server.auth import KeyRing, RequireKey
from terminal_server.errors import CatchErrors, add_handlers
from terminal_server.factory import make_idle_watch, make_services
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
_LINKED = ("/files/upload/", "/files/download/")


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

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.workers.start()
        await services.engine.start()
        services.commands.open()
        await services.files.start()
        idle = asyncio.create_task(make_idle_watch(services).run())
        if metrics is not None:
            await metrics.start(settings.host, settings.metrics_port)
            services.lifecycle.before_stop(metrics.stop)
        # What is there now stays: looking for garbage in it would stop everything for a tenth of a second.
        gc.freeze()
        yield
        idle.cancel()
        await asyncio.gather(idle, return_exceptions=True)
        await services.lifecycle.stop()
        await services.notebooks.stop()
        await mcp.stop()
        await services.engine.stop()
        await services.upstream.close()

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=_middleware(services, observers),
        # Old clients send JSON without saying so; a page cannot misuse that, it has no key to send along.
        strict_content_type=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    add_handlers(app)
    app.include_router(health.router)
    app.include_router(execute.create_router(settings))
    app.include_router(commands.router)
    app.include_router(uploads.router)
    app.include_router(downloads.router)
    app.include_router(files.router)
    app.include_router(files_change.router)
    app.include_router(files_tus.router)
    app.include_router(search.router)
    app.include_router(skills.router)
    app.include_router(about.create_router(settings))
    if settings.enable_terminal:
        app.include_router(shells.router)
    app.include_router(proxy.router)
    app.router.routes.extend(proxy.routes(services))
    if settings.enable_notebooks:
        app.include_router(notebooks.create_router(settings.command_limit_bytes))
    app.state.documents = Documents(app, services)
    app.include_router(openapi.create_router(app.state.documents))
    mcp = McpEndpoint(app, app.state.documents, settings.command_limit_bytes)
    if settings.enable_mcp:
        for path in mcp.PATHS:
            app.router.routes.append(Route(path, mcp, include_in_schema=False))
    # Last, when whoever has something to say to its user has said it.
    services.lifecycle.before_stop(services.engine.close)
    services.lifecycle.before_stop(services.commands.close)
    return app


def is_open(path: str) -> bool:
    """Tell whether a path needs no key. A link carries its own permission."""
    return path in _OPEN or (path.startswith(_LINKED) and not path.endswith("/link"))


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
        Middleware(CountRequests, activity=services.activity),
    ]
