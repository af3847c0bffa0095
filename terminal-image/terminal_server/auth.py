"""Who may call: the valid keys, and the one door every request passes.

Only digests are kept, and digests are compared, in constant time: a comparison tells nothing of the key, and
the SHA-256 of 256 random bits in a file tells nothing either.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from terminal_server.settings import Settings


class KeyProblemError(Exception):
    """A key was promised by a setting, but cannot be had."""


@dataclass(frozen=True)
class KeyRing:
    """The keys that are valid, as SHA-256 digests; there may be several."""

    digests: Collection[bytes]

    def accepts(self, authorization: str | None) -> bool:
        """Tell whether a header `Authorization: Bearer KEY` carries a valid key."""
        scheme, _, key = (authorization or "").partition(" ")
        digest = hashlib.sha256(key.strip().encode("latin-1", "replace")).digest()
        matches = [hmac.compare_digest(digest, valid) for valid in self.digests]
        return scheme.lower() == "bearer" and any(matches)


def load_keys(settings: Settings) -> tuple[KeyRing, str | None]:
    """Return the ring of every key the settings give, and the key that was generated if they give none.

    Raises:
        KeyProblemError: a file cannot be read, is empty or is no digest. No key is generated then: a server
            that was meant to have a key never opens with another.
    """
    digests: list[bytes] = []
    if settings.api_key is not None:
        digests.append(_digest(settings.api_key.get_secret_value()))
    if settings.api_key_file is not None:
        digests.append(_digest(_content(settings.api_key_file)))
    if settings.api_key_sha256_file is not None:
        text = _content(settings.api_key_sha256_file)
        if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
            raise KeyProblemError(f"{settings.api_key_sha256_file} must hold 64 hexadecimal digits")
        digests.append(bytes.fromhex(text))
    if digests:
        return KeyRing(digests), None
    generated = secrets.token_urlsafe(32)
    return KeyRing([_digest(generated)]), generated


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _content(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except (OSError, ValueError) as error:
        raise KeyProblemError(f"the key file {path} cannot be read: {error}") from None
    if not text:
        raise KeyProblemError(f"the key file {path} is empty")
    return text


class RequireKey:
    """ASGI middleware: 401 for every request without a valid key, but those that are open.

    It stands before routing and before any byte of a body is read, so a route is closed unless it is named
    open, and a stranger cannot make the server work.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing, is_open: Callable[[str], bool]) -> None:
        self.app = app
        self.keys = keys
        self.is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
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
