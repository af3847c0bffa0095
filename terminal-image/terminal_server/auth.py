"""Who may call: the valid keys, and the one door every request passes.

Only digests are kept, and digests are compared, in constant time: a comparison tells nothing of the key, and
the SHA-256 of 256 random bits in a file tells nothing either.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from terminal_server import websocket
from terminal_server.settings import Settings

log = logging.getLogger(__name__)

_MOST_BYTES = 64 * 1024


class KeyProblemError(Exception):
    """A key was promised by a setting, but cannot be had."""


class Source(Protocol):
    """Where the digests of valid keys come from; they may change while the server runs."""

    def digests(self) -> Collection[bytes]:
        """Return those that are valid now."""


@dataclass(frozen=True)
class Fixed:
    """A key that was given once."""

    value: bytes

    def digests(self) -> Collection[bytes]:
        """See Source."""
        return [self.value]


class Watched:
    """Keys in a file, one a line, read again when the file is another one or has changed.

    A mounted Secret changes by the exchange of a link, so the file is looked at by its path each time. One that
    cannot be read for the moment, or holds no key, leaves the last key valid. It is read by the event loop, so
    never anything but an ordinary file: a pipe may have nobody who writes to it. The start may wait for that.
    """

    def __init__(self, path: Path, parse: Callable[[str], bytes]) -> None:
        self._path = path
        self._parse = parse
        self._complaint = ""
        self._state = self._look()
        self._digests = self._read(wait=True)

    def digests(self) -> Collection[bytes]:
        """See Source."""
        state = self._look()
        if state != self._state:
            try:
                self._digests = self._read(wait=False)
            except KeyProblemError as error:
                self._complain(str(error))
            else:
                self._state = state
                self._complaint = ""
        return self._digests

    def _complain(self, problem: str) -> None:
        """Tell of a problem once, not with every request."""
        if problem != self._complaint:
            self._complaint = problem
            log.warning("%s; the last keys stay valid", problem)

    def _read(self, *, wait: bool) -> Collection[bytes]:
        try:
            return [self._parse(line) for line in _lines(self._path, wait=wait)]
        except KeyProblemError as error:
            raise KeyProblemError(f"the key file {self._path}: {error}") from None

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


@dataclass(frozen=True)
class KeyRing:
    """The keys that are valid; there may be several."""

    sources: Collection[Source]

    def accepts(self, authorization: str | None) -> bool:
        """Tell whether a header `Authorization: Bearer KEY` carries a valid key."""
        scheme, _, key = (authorization or "").partition(" ")
        return self.accepts_key(key.strip().encode("latin-1", "replace")) and scheme.lower() == "bearer"

    def accepts_key(self, key: bytes) -> bool:
        """Tell whether these bytes are a valid key."""
        digest = hashlib.sha256(key).digest()
        matches = [
            hmac.compare_digest(digest, valid) for source in self.sources for valid in source.digests()
        ]
        return any(matches)


def load_keys(settings: Settings) -> tuple[KeyRing, str | None]:
    """Return the ring of every key the settings give, and the key that was generated if they give none.

    Raises:
        KeyProblemError: a file cannot be read, is empty or is no digest. No key is generated then: a server
            that was meant to have a key never opens with another.
    """
    sources: list[Source] = [Fixed(_digest(key.get_secret_value())) for key in settings.api_key]
    if settings.api_key_file is not None:
        sources.append(Watched(settings.api_key_file, _digest))
    if settings.api_key_sha256_file is not None:
        sources.append(Watched(settings.api_key_sha256_file, _listed_digest))
    if sources:
        return KeyRing(sources), None
    generated = secrets.token_urlsafe(32)
    return KeyRing([Fixed(_digest(generated))]), generated


def _listed_digest(line: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", line):
        raise KeyProblemError("each line must hold 64 hexadecimal digits")
    return bytes.fromhex(line)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _lines(path: Path, *, wait: bool) -> list[str]:
    try:
        text = _content(path, wait=wait).decode()
    except OSError as error:
        raise KeyProblemError(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise KeyProblemError("it is no text") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeyProblemError("it is empty")
    return lines


def _content(path: Path, *, wait: bool) -> bytes:
    """Return what is in a file; of a pipe, with `wait`, what comes until it is closed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC | (0 if wait else os.O_NONBLOCK))
    try:
        if not wait and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise KeyProblemError("it is no ordinary file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(_MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MOST_BYTES:
        raise KeyProblemError(f"it is larger than {_MOST_BYTES} bytes")
    return content


class RequireKey:
    """ASGI middleware: 401 for every request without a valid key, but those that are open.

    It stands before routing and before any byte of a body is read, so a route is closed unless it is named
    open, and a stranger cannot make the server work. A WebSocket without a valid key is refused, unless its path
    is one where the key comes in a message: browsers cannot send it otherwise.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyRing,
        is_open: Callable[[str], bool],
        asks_itself: Callable[[str], bool],
    ) -> None:
        self.app = app
        self.keys = keys
        self.is_open = is_open
        self.asks_itself = asks_itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        if (
            scope["type"] != "http"
            or self.is_open(scope["path"])
            or self.keys.accepts(Headers(scope=scope).get("authorization"))
        ):
            await self.app(scope, receive, send)
            return
        response = JSONResponse(
            {"detail": "A valid key is needed: Authorization: Bearer KEY"},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
        await response(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.keys.accepts(Headers(scope=scope).get("authorization")):
            websocket.trust(scope)
        elif not self.asks_itself(scope["path"]):
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)
