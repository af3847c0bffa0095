"""Whether the server is there."""

from fastapi import APIRouter

router = APIRouter()


@router.get(
    "/health",
    operation_id="health_health_get",
    summary="Health check",
    description="Returns the status of the service. Needs no key.",
)
async def health() -> dict[str, str]:
    """Answer at once."""
    return {"status": "ok"}
