"""The skills in the home, for clients that offer them to their model."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from terminal_server.services import Shared
from terminal_server.skills.skills import SlowDiskError

router = APIRouter(include_in_schema=False)


@router.get("/skills")
async def list_skills(services: Shared) -> Response:
    """Name all skills, at once."""
    return Response(await services.skills.listed(), media_type="application/json")


@router.get("/skills/read")
async def read_skill(
    services: Shared, name: Annotated[str, Query(description="Name of a skill.")]
) -> dict[str, Any]:
    """Return what a skill says."""
    try:
        skill = await services.skills.read(name)
    except SlowDiskError:
        raise HTTPException(503, "The disk does not answer") from None
    if skill is None:
        raise HTTPException(404, "name: there is no such skill")
    return skill
