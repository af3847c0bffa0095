"""The application: which routes there are, and what stands in front of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from terminal_server import environment, openapi, workers
from terminal_server.activity import Activity
from terminal_server.auth import KeyRing, RequireKey
from terminal_server.engine import Engine
from terminal_server.errors import CatchErrors, add_handlers
from terminal_server.files.addresses import is_public
from terminal_server.files.fetch import AddressCheck, Fetcher
from terminal_server.files.links import Links
from terminal_server.lifecycle import IdleWatch, Lifecycle
from terminal_server.middleware.access_log import AccessLog
from terminal_server.middleware.activity import CountRequests
from terminal_server.middleware.prefix import StripPrefix
from terminal_server.middleware.tolerance import DropNothings
from terminal_server.openapi import Documents
from terminal_server.routers import downloads, execute, health, uploads
from terminal_server.services import Services
from terminal_server.sessions import WorkingDirectories
from terminal_server.settings import Settings

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_HEADERS = ["authorization", "content-type", "x-session-id", "x-user-id"]
_OPEN = {"/health", "/ready", "/docs", "/openapi.json", "/api/config"}
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
    activity = Activity()
    services = Services(
        settings=settings,
        keys=keys,
        activity=activity,
        lifecycle=Lifecycle(),
        directories=WorkingDirectories(settings.home, settings.session_seconds),
        engine=Engine(
            shell=settings.shell,
            environment=environment.for_commands(variables, settings),
            kill_grace_seconds=settings.kill_grace_seconds,
        ),
        links=Links(),
        fetcher=Fetcher(
            limit_bytes=settings.fetch_limit_bytes,
            timeout_seconds=settings.fetch_timeout_seconds,
            may_connect=may_connect,
        ),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        workers.start()
        await services.engine.start()
        idle = asyncio.create_task(_idle_watch(services).run())
        yield
        idle.cancel()
        await asyncio.gather(idle, return_exceptions=True)
        await services.lifecycle.stop()
        await services.engine.stop()

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=_middleware(settings, keys, activity),
        # Old clients send JSON without saying so; a page cannot misuse that, it has no key to send along.
        strict_content_type=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    add_handlers(app)
    app.include_router(health.router)
    app.include_router(execute.create_router(settings.command_limit_bytes))
    app.include_router(uploads.router)
    app.include_router(downloads.router)
    app.state.documents = Documents(app, services)
    app.include_router(openapi.create_router(app.state.documents))
    # Last, when whoever has something to say to its user has said it.
    services.lifecycle.before_stop(services.engine.close)
    return app


def _idle_watch(services: Services) -> IdleWatch:
    settings = services.settings
    return IdleWatch(
        services.lifecycle,
        services.activity,
        idle_seconds=settings.idle_seconds,
        drain_seconds=settings.drain_seconds,
        termination_file=settings.termination_file,
    )


def is_open(path: str) -> bool:
    """Tell whether a path needs no key. A link carries its own permission."""
    return path in _OPEN or (path.startswith(_LINKED) and not path.endswith("/link"))


def _middleware(settings: Settings, keys: KeyRing, activity: Activity) -> list[Middleware]:
    """Return what a request passes, first to last."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=_METHODS,
        allow_headers=_HEADERS,
        allow_credentials="*" not in settings.cors_origins,
        allow_private_network=True,
        expose_headers=["Content-Disposition", "Location"],
    )
    return [
        Middleware(StripPrefix, prefix=settings.path_prefix),
        Middleware(AccessLog),
        Middleware(DropNothings),
        cors,
        Middleware(CatchErrors),
        Middleware(RequireKey, keys=keys, is_open=is_open),
        Middleware(CountRequests, activity=activity),
    ]
