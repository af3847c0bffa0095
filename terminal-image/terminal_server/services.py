"""What the routes share, wired once per application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from terminal_server.activity import Activity
from terminal_server.auth import KeyRing
from terminal_server.commands.registry import Commands
from terminal_server.commands.spill import SpillSpace
from terminal_server.commands.starting import Starter
from terminal_server.engine import Engine
from terminal_server.files.fetch import Fetcher
from terminal_server.files.links import Links
from terminal_server.files.state import Files
from terminal_server.lifecycle import Lifecycle
from terminal_server.notebooks.notebooks import Notebooks
from terminal_server.ports.ports import Ports
from terminal_server.ports.upstream import Upstream
from terminal_server.search.searches import Searches
from terminal_server.sessions import WorkingDirectories
from terminal_server.settings import Settings
from terminal_server.shells.shells import Shells
from terminal_server.skills.skills import Skills
from terminal_server.workers import Workers


@dataclass(frozen=True)
class Services:
    """The parts of one running server."""

    settings: Settings
    keys: KeyRing
    engine: Engine
    starter: Starter
    commands: Commands
    spills: SpillSpace
    activity: Activity
    lifecycle: Lifecycle
    workers: Workers
    starters: Workers
    notebooks: Notebooks
    directories: WorkingDirectories
    shells: Shells
    ports: Ports
    upstream: Upstream
    links: Links
    fetcher: Fetcher
    files: Files
    searches: Searches
    skills: Skills


async def _of_request(request: HTTPConnection) -> Services:
    # A coroutine, since a plain function would be called in a thread, each time.
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was not made by create_app")
    return services


Shared = Annotated[Services, Depends(_of_request)]
"""The parameter of a route, of HTTP or a WebSocket, that needs the services."""
