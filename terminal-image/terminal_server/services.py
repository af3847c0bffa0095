"""What the routes share, wired once per application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from terminal_server.engine import Engine
from terminal_server.fetch import Fetcher
from terminal_server.links import Links
from terminal_server.settings import Settings


@dataclass(frozen=True)
class Services:
    """The parts of one running server."""

    settings: Settings
    engine: Engine
    links: Links
    fetcher: Fetcher


def _of_request(request: Request) -> Services:
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was not made by create_app")
    return services


Shared = Annotated[Services, Depends(_of_request)]
"""The parameter of a route that needs the services."""
