"""What this terminal is and offers: for clients, and for the models behind them."""

import asyncio
from typing import Any

from fastapi import APIRouter

from terminal_server import description, prompt
from terminal_server.routers.common import NEEDS_KEY
from terminal_server.services import Shared
from terminal_server.settings import Settings


def create_router(settings: Settings) -> APIRouter:
    """Return the routes; those that have nothing to say are not among them."""
    router = APIRouter()
    router.add_api_route("/api/config", config, include_in_schema=False)
    if settings.enable_system_prompt:
        router.add_api_route("/system", _Prompt().get, include_in_schema=False)
    if settings.info:
        router.add_api_route(
            "/info",
            info,
            operation_id="get_info",
            summary="Get information about this place",
            description="Return what those who run this computer want its users to know: what is installed, what is "
            "allowed, where data is. Read it before work that depends on such things.",
            responses=NEEDS_KEY,
        )
    return router


async def config(services: Shared) -> dict[str, Any]:
    """Say which parts there are."""
    settings = services.settings
    features = {
        "terminal": settings.enable_terminal,
        "notebooks": settings.enable_notebooks and await services.notebooks.specs.available(),
        "system": settings.enable_system_prompt,
    }
    return {"features": features}


async def info(services: Shared) -> dict[str, str]:
    """Return what was set."""
    return {"info": services.settings.info}


class _Prompt:
    """The prompt, made when it is first wanted."""

    def __init__(self) -> None:
        self._making = asyncio.Lock()
        self._made: str | None = None

    async def get(self, services: Shared) -> dict[str, str]:
        """Return it."""
        if self._made is None:
            async with self._making:
                if self._made is None:
                    system = await description.look(services.settings, services.engine)
                    self._made = prompt.written(services.settings, system)
        return {"prompt": self._made}
