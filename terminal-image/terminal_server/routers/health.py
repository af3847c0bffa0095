"""Whether the server is there, whether it is staying, and what keeps it awake."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from terminal_server.lifecycle import Phase
from terminal_server.services import Shared

router = APIRouter(include_in_schema=False)


@router.get("/health")
async def health() -> dict[str, str]:
    """Answer at once, whatever else goes on."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(services: Shared) -> Response:
    """Tell whether requests should be sent here: 503 shortly before the end of an idle or stopping server."""
    phase = services.lifecycle.phase
    return JSONResponse({"status": phase.value}, status_code=200 if phase is Phase.READY else 503)


@router.get("/activity")
async def activity(services: Shared) -> dict[str, Any]:
    """Tell since when the terminal is idle, or why it is not, and when it will end if it stays so."""
    state = services.activity.state()
    limit = services.settings.idle_seconds
    return {
        "idle": not state.reasons,
        "idle_since": None if state.reasons else _text(state.since),
        "idle_seconds": round(state.quiet_seconds, 3),
        "reasons": list(state.reasons),
        "idle_limit_seconds": limit or None,
        "phase": services.lifecycle.phase.value,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
