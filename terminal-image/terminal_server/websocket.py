"""WebSockets: uvicorn's protocol on the `websockets` library, and what it lacks for strangers and for terminals.

- A stranger may send little: the message that proves who he is. Then `trust` lets him send more.
- Output that waits in the kernel comes before the answer to Ctrl-C, so little is let wait there.
- A client that neither reads nor leaves is cut off: closing politely would wait for it.
- Nothing is logged: the library's log has queries in it, and on its lowest level the messages, keys and all.

Compression is off: it costs a terminal's echo more time than it saves.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

MESSAGE_BYTES = 16 * 1024 * 1024
PING_SECONDS = 25.0
PONG_SECONDS = 60.0
TRUST_EXTENSION = "terminal_server.trust"


def trust(scope: Scope) -> None:
    """Let the client of a WebSocket send messages of any size that is allowed at all."""
    extension = scope.get("extensions", {}).get(TRUST_EXTENSION)
    if extension is not None:
        extension["call"]()


def make_protocol(
    config: "Config", server_state: "ServerState", app_state: dict[str, Any]
) -> asyncio.Protocol:
    """Return the protocol of one connection, for uvicorn. What it needs is imported with the first."""
    from terminal_server.websocket_protocol import Protocol  # noqa: PLC0415 - memory that not every server needs

    return Protocol(config, server_state, app_state)
