"""Whose call it is: each chat of a user has a working directory of its own, and commands and shells of its own.

A session is named by the headers `X-User-Id` and `X-Session-Id`; calls without them share one. The names only
keep things apart for those who have the key: they are no protection.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Depends
from starlette.requests import HTTPConnection

_MOST = 10_000
_NAME_CHARACTERS = 256


class Session(NamedTuple):
    """Who calls, and in which chat. Equal for equal headers; an absent one is empty."""

    user: str = ""
    chat: str = ""


class WorkingDirectories:
    """Where each session is. Bounded in number and in time: what is not used is forgotten, and is home again."""

    def __init__(
        self, home: Path, lifetime_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._home = home
        self._lifetime = lifetime_seconds
        self._clock = clock
        self._places: OrderedDict[Session, tuple[Path, float]] = OrderedDict()

    def get(self, session: Session) -> Path:
        """Return the session's directory, home to begin with. That it is still there is not promised."""
        self._forget()
        place = self._places.get(session)
        if place is None:
            return self._home
        self._remember(session, place[0])
        return place[0]

    def set(self, session: Session, directory: Path) -> None:
        """Make `directory`, an absolute path, the session's."""
        self._remember(session, directory)
        self._forget()

    def _remember(self, session: Session, directory: Path) -> None:
        self._places[session] = directory, self._clock()
        self._places.move_to_end(session)

    def _forget(self) -> None:
        while self._places:
            session, (_, used) = next(iter(self._places.items()))
            if len(self._places) <= _MOST and self._clock() - used <= self._lifetime:
                return
            del self._places[session]


def session_of(connection: HTTPConnection) -> Session:
    """Return the session a request or a WebSocket belongs to."""
    headers = connection.headers
    return Session(
        user=_bounded(headers.get("x-user-id", "")), chat=_bounded(headers.get("x-session-id", ""))
    )


def _bounded(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else hashlib.sha256(name.encode()).hexdigest()


async def _session(connection: HTTPConnection) -> Session:
    # A coroutine, since a plain function would be called in a thread, each time.
    return session_of(connection)


Caller = Annotated[Session, Depends(_session)]
"""The parameter of a route that needs the session."""
