"""HTTP connections that take no more of the server than they are worth, whoever made them.

The parser collects the head of a request for as long as one comes: a stranger could take all memory. So a head has to
be of a sensible size, and so have trailers, the headers behind a body in chunks. Bodies are not collected: whoever
wants one reads it piece by piece.
"""

import json
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEADERS = 200
"""Each is an object or three: short ones take forty times their bytes."""


class HeadTooLargeError(Exception):
    """A request's head is larger than any that makes sense."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    _untold = 0
    """How much has come since something of a request was last passed on: what there is of an unfinished head."""

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
        self._untold = 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            # Trailers are kept here, and not in the request, where they could pass for what a proxy has looked at.
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of a body."""
        self._untold = 0
        super().on_body(body)

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
