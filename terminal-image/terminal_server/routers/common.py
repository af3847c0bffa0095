"""What the routes of files share."""

import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, BeforeValidator, Field

from terminal_server.leniency import unpacked
from terminal_server.paths import BadNameError, absolute
from terminal_server.services import Services
from terminal_server.sessions import Session

EXPIRED = "This link is not valid, or not any more."
_COMMA = re.compile(r",(?![^{}]*\})")
"""One between two values; those of a pattern like `*.{jpg,png}` stand in braces."""
NEEDS_KEY: dict[int | str, dict[str, Any]] = {401: {"description": "Invalid or missing API key."}}


SMALL_BODY_BYTES = 1024**2
"""The size of a body that holds no content, only paths and options."""


def make_router(**options: Any) -> APIRouter:
    """Return a router, with FastAPI's options, whose calls take JSON that does not say that it is.

    Old clients send it so; a page cannot misuse that, it has no key to send along.
    """
    return APIRouter(strict_content_type=False, **options)


class Link(BaseModel):
    """A link that works without a key for five minutes."""

    url: str = Field(description="The link.")


def _listed(value: object) -> object:
    """Take a list as clients send it: repeated, joined by commas, or as JSON."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        return value
    return [part for one in values for part in (_parts(one) if isinstance(one, str) else [one])]


def _parts(text: str) -> list[Any]:
    if text.startswith("["):
        parts = unpacked(text)
        if isinstance(parts, list):
            return parts
    return [part for part in (part.strip() for part in _COMMA.split(text)) if part]


TextList = Annotated[list[str], BeforeValidator(_listed)]
"""A query parameter with any number of values."""


def located(path: str, services: Services, session: Session | None = None) -> Path:
    """Return the absolute path of what a client named, or answer 422.

    A relative one is looked for in the session's working directory, without a session in the home.
    """
    start = services.settings.home if session is None else services.directories.get(session)
    try:
        return absolute(path, services.settings.home, start)
    except BadNameError as error:
        raise HTTPException(422, str(error)) from None
