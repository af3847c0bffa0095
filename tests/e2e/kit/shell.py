"""A terminal as its user has it: a URL and a key, reached through the ingress."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from tests.e2e.kit.waiting import until

# How long a command may take: a machine that does much else is slow.
_COMMAND_SECONDS = 120
# How long one question may take where another is asked after it: a connection to a pod that is gone hangs.
_TRY_SECONDS = 10
# What the ingress itself answers while it does not know the way, or the way leads nowhere.
_NO_WAY = frozenset({0, 404, 500, 502, 503, 504})


class Result(NamedTuple):
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


class Answer(NamedTuple):
    """What a request was answered with."""

    status: int
    body: str


@dataclass(frozen=True)
class Shell:
    """Talks to one terminal. Hosts are not looked up: every request goes to the ingress on loopback."""

    session: aiohttp.ClientSession
    ingress_port: int
    url: str
    key: str | None

    def with_key(self, key: str | None) -> "Shell":
        """The same terminal, tried with another key, or with none."""
        return Shell(self.session, self.ingress_port, self.url, key)

    async def ask(self, path: str, method: str = "GET", **request: Any) -> Answer:
        """Make a request and return its answer, whatever it is; status 0 where the connection broke."""
        try:
            async with self.request(method, path, **request) as answer:
                return Answer(answer.status, await answer.text(errors="replace"))
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            return Answer(0, str(error))

    async def execute(
        self,
        command: str,
        *,
        timeout: float | None = _COMMAND_SECONDS,  # noqa: ASYNC109 - the API's
    ) -> Result:
        """Run a command to its end."""
        body = {"command": command, "timeout": timeout}
        async with self.request("POST", "/execute", json=body) as answer:
            assert answer.status == 200, f"{answer.status}: {await answer.text()}"
            return Result(**await answer.json())

    async def output(self, command: str) -> str:
        """Run a command that must succeed, and return what it printed."""
        result = await self.execute(command)
        assert result.exit_code == 0, result
        return result.stdout

    async def output_at_last(self, command: str) -> str:
        """As `output`, after a change that the ingress may learn of late, even after it has answered once.

        The command may run more than once. What the terminal itself answers is its answer, only the ingress is asked
        again.
        """
        body = {"command": command, "timeout": _COMMAND_SECONDS}

        async def probe() -> Answer | None:
            answer = await self.ask("/execute", "POST", json=body)
            from_ingress = answer.status in _NO_WAY and not answer.body.startswith("{")
            return None if from_ingress else answer

        answer = await until(probe, f"{self.url} runs a command")
        assert answer.status == 200, answer
        result = Result(**json.loads(answer.body))
        assert result.exit_code == 0, result
        return result.stdout

    async def stream(self, command: str) -> AsyncIterator[dict[str, Any]]:
        """Run a command and yield what it prints as it comes."""
        body = {"command": command, "timeout": _COMMAND_SECONDS}
        async with self.request("POST", "/execute?stream=true", json=body) as answer:
            assert answer.status == 200, f"{answer.status}: {await answer.text()}"
            async for line in answer.content:
                yield json.loads(line)

    async def upload(self, file: Path) -> None:
        """Put a file into the home directory."""
        size = file.stat().st_size  # noqa: ASYNC240 - nothing else is waited for meanwhile
        with file.open("rb") as content:
            form = aiohttp.FormData()
            form.add_field("file", content, filename=file.name, content_type="application/octet-stream")
            answer = await self.ask("/files/upload?dir=/home/user", "POST", data=form)
        assert answer.status == 200, answer
        assert json.loads(answer.body) == {"path": f"/home/user/{file.name}", "size": size}

    async def download(self, name: str) -> AsyncIterator[bytes]:
        """Fetch a file of the home directory by a link, which needs no key; yields it in pieces."""
        answer = await self.ask(f"/files/download/link?path=/home/user/{name}")
        assert answer.status == 200, answer
        url = json.loads(answer.body)["url"]
        assert url.startswith(self.url), f"{url} does not lead to {self.url}"
        visitor = self.with_key(None)
        async with visitor.request("GET", url.removeprefix(self.url)) as file:
            assert file.status == 200, await file.text()
            async for piece in file.content.iter_any():
                yield piece

    async def is_healthy(self) -> bool:
        """Whether the terminal answers through the ingress."""
        try:
            answer = await self.ask("/health", timeout=aiohttp.ClientTimeout(_TRY_SECONDS))
        except TimeoutError:
            return False
        return answer == Answer(200, '{"status":"ok"}')

    def request(self, method: str, path: str, **request: Any) -> Any:
        """Make a request; an asynchronous context with the answer."""
        parts = urlsplit(self.url)
        headers = {"Host": parts.netloc, **request.pop("headers", {})}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        return self.session.request(method, self._address(path), headers=headers, **request)

    def websocket(self, path: str) -> Any:
        """Open a WebSocket; an asynchronous context."""
        return self.session.ws_connect(self._address(path), headers={"Host": urlsplit(self.url).netloc})

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.ingress_port}{urlsplit(self.url).path}{path}"
