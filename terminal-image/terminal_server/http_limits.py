"""HTTP connections that take no more of the server than they are worth, whoever made them.

The parser collects the head of a request for as long as one comes: a stranger could take all memory. So a head has to
be of a sensible size, and so have trailers, the headers behind a body in chunks. Bodies are not collected: whoever
wants one reads it piece by piece.

Uvicorn waits for a request for as long as one is not there: a stranger could take all connections. So a head has to be
complete after a sensible time, and of a body something has to come now and then. For that the server goes round its
connections, and counts: a timer for each would cost every request something.
"""

import asyncio
import json
from collections.abc import Collection
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEADERS = 200
"""Each is an object or three: short ones take forty times their bytes."""
ROUND_SECONDS = 10.0
HEAD_ROUNDS = 3
"""In how many rounds a head may be found to be missing."""
BODY_ROUNDS = 30
"""In how many rounds, one after the other, nothing of a body may be found to have come."""


class HeadTooLargeError(Exception):
    """A request's head is larger than any that makes sense."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    _untold = 0
    """How much has come since something of a request was last passed on: what there is of an unfinished head."""
    _head_rounds = 0
    _body_rounds = 0

    def data_received(self, data: bytes) -> None:
        """Take a piece of whatever comes."""
        self._untold += len(data)
        super().data_received(data)
        if self._untold and (self._untold > HEAD_BYTES or len(self.headers or ()) > HEADERS):
            self._refuse()

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        # The piece may hold a body as well, which is no reason to refuse.
        if (self._untold > HEAD_BYTES or len(self.headers) > HEADERS) and self._is_too_large():
            raise HeadTooLargeError
        self._untold = self._head_rounds = self._body_rounds = 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            # Trailers are kept here, and not in the request, where they could pass for what a proxy has looked at.
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of a body."""
        self._untold = self._body_rounds = 0
        super().on_body(body)

    def look(self) -> None:
        """Look whether what is waited for comes, and end the connection if it has not for too long."""
        if self._waits_for_head():
            self._head_rounds += 1
        elif self._waits_for_body():
            self._body_rounds += 1
        if self._head_rounds >= HEAD_ROUNDS or self._body_rounds >= BODY_ROUNDS:
            self.transport.abort()

    def _waits_for_head(self) -> bool:
        """Tell whether a request is due: the first, or one that has begun. Before that a connection may be idle.

        What is left of a body that nobody wants any more is no request either.
        """
        cycle = self.cycle
        idle = self.timeout_keep_alive_task is not None
        return cycle is None or (cycle.response_complete and (self.scope is not cycle.scope or not idle))

    def _waits_for_body(self) -> bool:
        """Tell whether it is the client who has to go on."""
        cycle = self.cycle
        asked = not cycle.waiting_for_100_continue and not self.flow.read_paused
        return asked and cycle.more_body and not cycle.response_started

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed."""
        if self._is_too_large():
            self._refuse()
        else:
            super().send_400_response(msg)

    def _is_too_large(self) -> bool:
        headers = self.headers or ()
        size = sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
        return len(headers) > HEADERS or size + len(getattr(self, "url", b"")) > HEAD_BYTES

    def _refuse(self) -> None:
        """Answer that it is too much, if there is room for an answer, and close the connection."""
        if self.transport.is_closing():
            return
        if self.cycle is not None and (self.cycle.scope is self.scope or not self.cycle.response_complete):
            # Trailers of a request that has its answer, or another one's answer is still being sent.
            self.transport.abort()
            return
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        body = json.dumps({"detail": "The head of the request is too large"}).encode()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(body) + body)
        self.transport.close()


def go_round(connections: Collection[object]) -> None:
    """Look at each connection."""
    for connection in tuple(connections):
        if isinstance(connection, LimitedProtocol):
            connection.look()


def watch(connections: Collection[object]) -> None:
    """Go round the connections, whichever there are then, again and again."""
    go_round(connections)
    asyncio.get_running_loop().call_later(ROUND_SECONDS, watch, connections)
