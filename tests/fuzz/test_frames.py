"""Clients of WebSockets that say anything: the server lets go of each of them in time, and stays well."""

import contextlib
import socket
from pathlib import Path

from hypothesis import note

from tests.contract.running import KEY, Server
from tests.fuzz.effort import NUMBERS, try_hard
from tests.fuzz.frames import GOODBYE, Conversation, conversation
from tests.fuzz.made_up import Request
from tests.fuzz.test_requests import SETTINGS
from tests.fuzz.wire import DEADLINE_SECONDS, Answer, check_health, exchange
from tests.jail.jail import jailed

_ENOUGH = 1024**2


class _Talker:
    """Has conversations with a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def check(self, made: Conversation) -> None:
        """Have one; at its end the server must hang up."""
        sent = made.encoded(self._shell())
        note(f"Sent: {sent[:3000]!r}")
        # Who is refused is hung up on while it still talks.
        with (
            socket.create_connection(("127.0.0.1", self._server.port), DEADLINE_SECONDS) as connection,
            contextlib.suppress(BrokenPipeError, ConnectionResetError),
        ):
            connection.sendall(sent + GOODBYE)
            connection.shutdown(socket.SHUT_WR)
            _read_to_the_end(connection)
        check_health(self._server)

    def _shell(self) -> str:
        """Open a shell; one that was made and not used counts until it is ended."""
        opened = self._call("POST", "/api/terminals")
        if opened.status == 429:
            for shell in self._call("GET", "/api/terminals").json():
                self._call("DELETE", f"/api/terminals/{shell['id']}")
            opened = self._call("POST", "/api/terminals")
        assert opened.status == 200, opened.body
        return str(opened.json()["id"])

    def _call(self, method: str, path: str) -> Answer:
        request = Request(method, path, (f"Authorization: Bearer {KEY}",)).encoded({})
        answer = exchange(self._server.port, request, method=method, ends=False)
        assert answer is not None
        return answer


def _read_to_the_end(connection: socket.socket) -> None:
    beginning = connection.recv(12)
    note(f"Answer: {beginning!r}")
    assert not beginning.startswith(b"HTTP/1.1 5"), "the server failed"
    size = 0
    while data := connection.recv(65536):
        size += len(data)
        assert size < _ENOUGH, "the server goes on and on"


def test_no_client_of_a_websocket_makes_the_server_fail_or_hang(tmp_path: Path) -> None:
    with jailed(tmp_path, **SETTINGS) as server:
        try_hard("frames", NUMBERS.map(conversation), _Talker(server).check)
