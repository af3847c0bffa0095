"""An HTTP client that costs next to nothing, so that what is timed is the server.

One connection, one request after the other; no pool, no retry, no decoding. The parser is llhttp's.
"""

import json
import re
import socket
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httptools

_READ_BYTES = 1024 * 1024


class DeadlineError(OSError):
    """The answer was not complete in time."""


@dataclass
class Answer:
    """An answer, which fills while it comes."""

    status: int = 0
    pieces: list[bytes] = field(default_factory=list)
    complete: bool = False

    @property
    def body(self) -> bytes:
        """All of the body there is."""
        return b"".join(self.pieces)

    def json(self) -> Any:
        """Read the body, which must be of a success."""
        if self.status != HTTPStatus.OK:
            raise RuntimeError(f"status {self.status}: {self.body[:500]!r}")
        return json.loads(self.body)


class AnswerReader:
    """Makes an answer from what is received."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bool:
        """Take what was received; return whether the answer is complete."""
        self._parser.feed_data(data)
        self.answer.status = self._parser.get_status_code()
        return self.answer.complete

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self.answer.pieces.append(body)

    def on_message_complete(self) -> None:
        """Know that it was the last."""
        self.answer.complete = True


def request(
    method: str, path: str, *, key: str | None = None, body: object = None, length: int = 0, kind: str = ""
) -> bytes:
    """Return the bytes of a request: with a body as JSON, or with the head only of a body of `length` bytes."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    if content or length:
        lines += [f"Content-Type: {kind or 'application/json'}", f"Content-Length: {len(content) or length}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """A connection to a server on this machine."""

    def __init__(self, port: int, *, key: str | None = None, seconds: float = 30) -> None:
        self._key = key
        self._seconds = seconds
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> Answer:
        """Call without a body."""
        return self.exchange(request("GET", path, key=self._key))

    def post(self, path: str, body: object) -> Answer:
        """Call with a body as JSON."""
        return self.exchange(request("POST", path, key=self._key, body=body))

    def exchange(self, sent: bytes) -> Answer:
        """Send a request and return its answer, in the time this connection gives."""
        self.socket.sendall(sent)
        return self.receive()

    def receive(self) -> Answer:
        """Return the answer to what was sent."""
        deadline = time.monotonic() + self._seconds
        reader = AnswerReader()
        while not reader.answer.complete:
            reader.feed(self._some(deadline))
        return reader.answer

    def download(self, path: str, target: memoryview) -> int:
        """Receive the body of a GET into memory that is there already; return its length."""
        deadline = time.monotonic() + self._seconds
        self.socket.sendall(request("GET", path, key=self._key))
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some(deadline)
        head, _, body = received.partition(b"\r\n\r\n")
        found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if found is None or not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"no file: {head[:200]!r}")
        length, position = int(found[1]), len(body)
        target[:position] = body
        while position < length:
            if time.monotonic() > deadline:
                raise DeadlineError(f"no complete answer in {self._seconds:g} s")
            count = self.socket.recv_into(target[position:])
            if not count:
                break
            position += count
        return position

    def _some(self, deadline: float) -> bytes:
        if time.monotonic() > deadline:
            raise DeadlineError(f"no complete answer in {self._seconds:g} s")
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("closed amid an answer")
        return data

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
