"""What a client of a WebSocket may send, right and wrong, before and after it has proved who it is."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.contract.running import KEY
from tests.fuzz import values

_TEXT, _BINARY, _CLOSE = 1, 2, 8
_FINAL = 0x80
_MASKED = 0x80
_HANDSHAKE = (
    "Host: x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
_STRAY_HEADERS = (
    "Authorization: Bearer " + KEY,
    "Authorization: Bearer wrong",
    "Sec-WebSocket-Protocol: a, b",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99",
    "Sec-WebSocket-Version: 12",
    "Sec-WebSocket-Key: short",
    "Origin: http://evil.example",
    "X-Session-Id: another",
    "Content-Length: 3",
)
_PATHS = ("/api/terminals/{shell}",) * 6 + (
    "/api/terminals/none",
    "/api/terminals/",
    "/execute",
    "/proxy/1/",
    "/x",
    "/mcp",
)
_CONTROLS: tuple[dict[str, Any], ...] = (
    {"type": "resize", "cols": 80, "rows": 24},
    {"type": "resize", "cols": "80", "rows": None},
    {"type": "resize", "cols": 10**30, "rows": -5},
    {"type": "resize", "cols": float("nan"), "rows": float("inf")},
    {"type": "resize"},
    {"type": "ping"},
    {"type": ["ping"]},
    {"type": "auth", "token": KEY},
    {},
)
_TYPED = (
    b"",
    b"\r",
    b"echo hi\r",
    b"\x03",
    b"\x1a",
    b"\x13",
    b"\x11",
    b"\x1b[A",
    b"\xff\xfe\x00",
    b":\r" * 400,
    b"stty raw\r",
)


@dataclass(frozen=True)
class Conversation:
    """All that one client sends, and then it sends no more. `{shell}` stands for the last shell made."""

    opening: str
    frames: bytes

    def encoded(self, shell: str) -> bytes:
        """Return the bytes."""
        return self.opening.replace("{shell}", shell).encode("latin-1") + self.frames


def conversation(number: int) -> Conversation:
    """Make the conversation of this number."""
    chance = Random(number)  # noqa: S311 - no secret
    headers = [*_HANDSHAKE, *([chance.choice(_STRAY_HEADERS)] if chance.random() < 0.3 else [])]
    opening = "\r\n".join([f"GET {chance.choice(_PATHS)} HTTP/1.1", *headers]) + "\r\n\r\n"
    frames = [_first(chance), *(_frame_of_some_kind(chance) for _ in range(chance.randint(0, 5)))]
    return Conversation(opening, b"".join(frames))


def _first(chance: Random) -> bytes:
    luck = chance.random()
    if luck < 0.7:
        return _text(
            {"type": "auth", "token": KEY, "chat_id": chance.choice(("", None, values.junk(chance)))}
        )
    if luck < 0.9:
        return _text({"type": values.junk(chance), "token": values.junk(chance)})
    return b""


def _frame_of_some_kind(chance: Random) -> bytes:
    luck = chance.random()
    if luck < 0.35:
        return _frame(_BINARY, chance.choice(_TYPED))
    if luck < 0.6:
        return _text(chance.choice(_CONTROLS) if luck < 0.5 else values.junk(chance))
    if luck < 0.7:
        return _frame(_TEXT, chance.choice((b"\xff", b"[" * 3000, b"x" * 20_000, b"")))
    if luck < 0.9:
        content = chance.randbytes(chance.choice((0, 1, 125, 126, 200)))
        return _frame(
            chance.randrange(16),
            content,
            first=chance.randrange(256) & 0xF0,
            more=chance.choice((0, 0, 0, -1, 9)),
        )
    return chance.randbytes(chance.randint(1, 20))


def _text(content: Any) -> bytes:
    return _frame(_TEXT, json.dumps(content).encode())


def _frame(opcode: int, content: bytes, *, first: int = _FINAL, more: int = 0) -> bytes:
    """Return a frame masked with zeros; it says that it is longer by `more` than it is."""
    size = max(0, len(content) + more)
    if size < 126:
        length = bytes([_MASKED | size])
    elif size < 2**16:
        length = bytes([_MASKED | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([_MASKED | 127]) + size.to_bytes(8, "big")
    return bytes([first | opcode]) + length + bytes(4) + content


GOODBYE = _frame(_CLOSE, b"\x03\xe8")
