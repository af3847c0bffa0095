"""Requests of every route, right and wrong: the server answers each in time, never fails, and stays well."""

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import note

from tests.contract.running import KEY, Server
from tests.fuzz.effort import NUMBERS, try_hard
from tests.fuzz.made_up import Request, request
from tests.fuzz.values import PREPARE
from tests.fuzz.wire import Answer, check_answer, check_health, exchange
from tests.jail.jail import jailed

SETTINGS = {
    "TERMINAL_SERVER_KILL_GRACE_SECONDS": "0.1",
    "TERMINAL_SERVER_SEARCH_SECONDS": "1",
    "TERMINAL_SERVER_EXECUTE_WAIT_SECONDS": "2",
    "TERMINAL_SERVER_FETCH_TIMEOUT_SECONDS": "1",
    "TERMINAL_SERVER_MAX_SHELLS": "3",
}
"""What makes the server wait less, so that more can be tried."""
_TIDY_EVERY = 100
_PROGRAM = 8123
_HEADERS = (f"Authorization: Bearer {KEY}", "Content-Type: application/json")


class _World:
    """The server, and what it has made."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.known = {"port": str(server.port)}
        self._tried = 0

    def check(self, made: Request) -> None:
        """Send a request, and look at the answer."""
        sent = made.encoded(self.known)
        note(f"Sent: {sent[:3000]!r}")
        answer = exchange(self.server.port, sent, method=made.method, ends=not made.whole)
        if answer is None:
            assert not made.whole or made.chunked or made.length, "the server hung up"
        else:
            check_answer(answer, of_program=made.target.startswith("/proxy/{program}"))
            self._remember(made, answer)
        self._tried += 1
        if self._tried % _TIDY_EVERY == 0:
            self.tidy()

    def begin_program(self) -> None:
        """Have a program listen on a port, so that there is one to be led to."""
        command = f"cd folder; exec python3 -m http.server {_PROGRAM} --bind 127.0.0.1"
        answer = self._call("/execute?wait=0", {"command": command})
        assert answer.status == 200, answer.body
        self.known["program"] = str(_PROGRAM)

    def tidy(self) -> None:
        """Make sure the server is well, and put things back in their places."""
        check_health(self.server)
        for path, content in (
            ("/execute", {"command": PREPARE, "timeout": 10}),
            ("/files/cwd", {"path": "~"}),
        ):
            answer = self._call(path, content)
            assert answer.status == 200, answer.body
            assert answer.json().get("exit_code", 0) == 0, answer.body

    def _call(self, path: str, content: dict[str, Any]) -> Answer:
        call = Request("POST", path, _HEADERS, json.dumps(content).encode())
        answer = exchange(self.server.port, call.encoded({}), method="POST", ends=False)
        assert answer is not None
        return answer

    def _remember(self, made: Request, answer: Answer) -> None:
        place = answer.headers.get("Location", "")
        if place.startswith("tus/"):
            self.known["tus"] = place.removeprefix("tus/")
        content = answer.json()
        if answer.status >= 300 or not isinstance(content, dict):
            return
        if made.method == "POST" and isinstance(content.get("id"), str):
            self.known["shell" if "terminals" in made.target else "process"] = content["id"]
        link = re.search(r"/files/(upload|download)/([^/]+)$", str(content.get("url", "")))
        if link:
            self.known[link[1]] = link[2]


def test_no_request_makes_the_server_fail_or_hang(tmp_path: Path) -> None:
    with jailed(tmp_path, **SETTINGS) as server:
        world = _World(server)
        world.tidy()
        world.begin_program()
        try_hard("requests", NUMBERS.map(request), world.check)
        world.tidy()
