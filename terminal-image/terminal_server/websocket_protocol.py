"""The protocol that `terminal_server.websocket` tells of; apart from it for what it imports."""

import asyncio
import logging
import socket
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request

from terminal_server.websocket import TRUST_EXTENSION

_STRANGERS_BYTES = 16 * 1024
_UNSENT_BYTES = 64 * 1024
_CLOSE_SECONDS = 3.0

_log = logging.getLogger("terminal_server.websocket")


class Protocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        _log.setLevel(logging.WARNING)
        self.logger = _log
        self.conn.logger = _log
        self.conn.max_message_size = _STRANGERS_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what waits in the kernel small."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)

    def handle_connect(self, event: Request) -> None:
        """Offer the application to trust the client."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][TRUST_EXTENSION] = {"call": self._trust}

    def keepalive_timeout(self) -> None:
        """Cut off a client that does not answer."""
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        """Close, and do not wait long for a client that does not read."""
        super().shutdown()
        self._abort_later()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; likewise."""
        await super().send(message)
        if message["type"] == "websocket.close":
            self._abort_later()

    def _trust(self) -> None:
        self.conn.max_message_size = self.config.ws_max_size

    def _abort_later(self) -> None:
        if not self.disconnected:
            self.loop.call_later(_CLOSE_SECONDS, self.transport.abort)
