"""What the routes of files share."""

from pathlib import Path
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, Field

from terminal_server.paths import BadNameError, absolute
from terminal_server.services import Services

EXPIRED = "This link is not valid, or not any more."
NEEDS_KEY: dict[int | str, dict[str, Any]] = {401: {"description": "Invalid or missing API key."}}


class Link(BaseModel):
    """A link that works without a key for five minutes."""

    url: str = Field(description="The link.")


def located(path: str, services: Services) -> Path:
    """Return the absolute path of what a client named, or answer 422."""
    try:
        return absolute(path, services.settings.home)
    except BadNameError as error:
        raise HTTPException(422, str(error)) from None
