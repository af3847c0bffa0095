"""Links that work for five minutes without a key.

A link carries what it allows, signed with a key that lives as long as the process: nothing is stored, so
no number of links uses memory, and none can be guessed or changed.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Literal

Purpose = Literal["download", "upload"]
LIFETIME_SECONDS = 300.0


class Links:
    """Makes and checks the tokens of links."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def token(self, purpose: Purpose, path: str) -> str:
        """Return a token that allows `purpose` on `path` from now on."""
        body = json.dumps([purpose, self._clock() + LIFETIME_SECONDS, path]).encode()
        return f"{_text(body)}.{_text(self._signature(body))}"

    def path(self, purpose: Purpose, token: str) -> str | None:
        """Return the path a token allows `purpose` on, or None if it is not valid, or not any more."""
        first, _, second = token.partition(".")
        try:
            body, signature = _bytes(first), _bytes(second)
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        allowed, until, path = json.loads(body)
        if allowed != purpose or self._clock() > until:
            return None
        return str(path)

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
