"""Sends requests as bytes, right or wrong, and holds every answer to what all answers have in common."""

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from hypothesis import note

from tests.contract.running import Server

DEADLINE_SECONDS = 30.0
"""Within which everything is answered; whoever is asked to wait here is asked for less."""
_DOCUMENTED = {503, 507}
"""Not the server's fault: no process or no space to be had."""
_LARGEST = 4 * 1024**2


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return what it holds; None if that is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def exchange(port: int, request: bytes, *, method: str, ends: bool) -> Answer | None:
    """Send a request on a connection of its own and return the answer; None if the server hung up.

    Args:
        port: the server's.
        request: all of it, or as much as is meant to arrive.
        method: what the request has, as the answer to HEAD has no body.
        ends: whether to say after it that nothing more comes.

    Raises:
        TimeoutError: there was no answer in time.
    """
    with socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS) as connection:
        # Who is refused early may be hung up on while it still sends.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read(_LARGEST))
        except (ConnectionResetError, http.client.RemoteDisconnected):
            return None
        finally:
            answer.close()


def check_answer(answer: Answer, *, of_program: bool = False) -> None:
    """Hold an answer to what is true of all of them; one that may be of a program behind the server to little."""
    note(f"Answer: {answer.status} {answer.body[:2000]!r}")
    if of_program:
        assert answer.status != 500
        return
    assert answer.status < 500 or answer.status in _DOCUMENTED, "the server failed"
    assert answer.status not in {301, 302, 303, 307, 308}, "clients do not follow"
    kind = answer.headers.get_content_type() if "content-type" in answer.headers else None
    if kind == "application/json" and answer.body:
        assert answer.json() is not None, "not JSON"
    if answer.status >= 400 and answer.body and not _said_by_the_protocol(answer):
        content = answer.json()
        assert isinstance(content, dict), "an error is an object"
        assert content.get("detail") or "jsonrpc" in content, "an error has a detail"


def check_health(server: Server) -> None:
    """Make sure that the server is there, and has nothing to say of errors."""
    answer = exchange(
        server.port, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method="GET", ends=False
    )
    assert answer is not None
    assert answer.json() == {"status": "ok"}
    assert server.process.poll() is None


def _said_by_the_protocol(answer: Answer) -> bool:
    """Whether what came was no HTTP, so that no application has seen it; or a page, or a check of a browser's."""
    return answer.headers.get_content_type() in {"text/plain", "text/html"} and answer.status in {400, 404}
