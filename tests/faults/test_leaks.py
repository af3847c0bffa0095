"""Nothing is left of a request when it is over: no process, no open file, no thread, no memory."""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.running import KEY, Client, Server, changed, connected, running
from tests.faults.kernel import resident_bytes, settled

REQUESTS = 10_000
WARM_UP = 3_000
GROWTH_BYTES = 10_000_000
"""Less than a leak of 1 KB per request would come to, and more than the sessions that are remembered."""
_AT_ONCE = 16


class _User:
    """Does what users, models and interfaces do, and leaves in the middle of things."""

    def __init__(self, client: Client, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self._names = itertools.count()

    async def act(self) -> int:
        """Do something; return how many requests that took."""
        return await self._chance.choices([act for act, _ in _ACTS], [often for _, often in _ACTS])[0](self)

    async def poll(self) -> int:
        for path in (
            "/health",
            "/execute",
            "/activity",
            "/skills",
            "/files/cwd",
            "/api/config",
            "/openapi.json",
        ):
            await self._client.json("GET", path)
        return 7

    async def run_the_first_way(self) -> int:
        await self._client.execute("echo out; echo err >&2", timeout=20)
        return 1

    async def run_the_second_way(self) -> int:
        body = {"command": "read line; echo $line"}
        run = await self._client.json("POST", "/execute?wait=0", json=body)
        await self._client.json("POST", f"/execute/{run['id']}/input", json={"input": "hello\n"})
        await self._client.json("GET", f"/execute/{run['id']}/status?wait=20")
        return 3

    async def stream(self) -> int:
        assert [line async for line in self._client.stream("seq 1000", timeout=20)][-1] == {
            "type": "exit",
            "data": 0,
        }
        return 1

    async def run_out_of_time(self) -> int:
        answer = await self._client.execute("sleep 1006 & sleep 1006", timeout=0.05)
        assert answer["exit_code"] == -1
        return 1

    async def kill(self) -> int:
        run = await self._client.json("POST", "/execute?wait=0", json={"command": "sleep 1006"})
        await self._client.json("DELETE", f"/execute/{run['id']}?force=true")
        return 2

    async def print_much(self) -> int:
        answer = await self._client.execute("head -c 500000 /dev/zero", timeout=20)
        assert len(answer["stdout"]) == 500_000
        return 1

    async def upload_and_look(self) -> int:
        name = f"file-{next(self._names) % 50}"
        await self._client.upload(b"one\ntwo\n" * 1000, name)
        for path in ("/files/read", "/files/display", "/files/view"):
            async with self._client.request("GET", path, params={"path": f"in/{name}"}) as response:
                await response.read()
        await self._client.json("POST", "/files/write", json={"path": f"in/{name}", "content": "three"})
        return 5

    async def use_links(self) -> int:
        link = await self._client.json("POST", "/files/upload/link", params={"dir": "in"})
        form = aiohttp.FormData()
        form.add_field("file", b"x", filename=f"linked-{next(self._names) % 50}")
        stored = await self._client.json("POST", _path(link), data=form)
        link = await self._client.json("GET", "/files/download/link", params={"path": stored["path"]})
        async with self._client.request("GET", _path(link)) as response:
            assert await response.read() == b"x"
        return 4

    async def be_somebody_new(self) -> int:
        headers = {"X-Session-Id": f"{self._chance.random()}", "X-User-Id": f"{self._chance.random()}"}
        await self._client.json("POST", "/files/cwd", json={"path": "~"}, headers=headers)
        await self._client.json("GET", "/files/list", headers=headers)
        return 2

    async def work_in_a_shell(self) -> int:
        headers = {"X-Session-Id": f"shell {self._chance.random()}"}
        shell = await self._client.json("POST", "/api/terminals", headers=headers)
        url = f"/api/terminals/{shell['id']}"
        async with self._client.session.ws_connect(self._client.server.url + url, headers=headers) as socket:
            await socket.send_bytes(b"echo $((6*7))\r")
            shown = b""
            while b"42" not in shown:
                shown += await socket.receive_bytes(timeout=20)
        await self._client.json("DELETE", url, headers=headers)
        return 3

    async def search(self) -> int:
        await self._client.json("GET", "/files/grep", params={"query": "two", "path": "in"})
        return 1

    async def break_off(self) -> int:
        request = self._chance.choice(_BROKEN)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._client.server.port)
        waits = self._chance.random() < 0.5
        # Who is answered before all was read is told so by a reset.
        with contextlib.suppress(TimeoutError, ConnectionError):
            writer.write(request)
            await writer.drain()
            if waits:
                await asyncio.wait_for(reader.read(100), 0.02)
        writer.transport.abort()
        return 1


def _broken(line: str, body: bytes, more: int = 0, kind: str = "application/json") -> bytes:
    head = f"{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body) + more}\r\n\r\n".encode() + body


_FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="broken"\r\n\r\n' + b"x" * 3000
_BROKEN = (
    _broken("POST /execute", b'{"command": "sleep 1006", "timeout": 20}'),
    _broken("POST /execute?stream=true", b'{"command": "yes", "timeout": 20}'),
    _broken("POST /execute", b'{"command": "', more=100),
    _broken("POST /files/upload?dir=in", _FORM, 100_000, "multipart/form-data; boundary=b"),
    _broken("POST /files/write", b'{"path": "in/broken", "content": "', more=100),
    _broken("GET /files/grep?query=x&path=/usr/lib", b""),
    _broken("POST /mcp", b'{"jsonrpc": "2.0", ', more=100),
    _broken("GET /files/view?path=large", b""),
    b"GET /health HTTP/1.1\r\nHo",
)
_ACTS: list[tuple[Callable[[_User], Awaitable[int]], int]] = [
    (_User.poll, 300),
    (_User.run_the_first_way, 300),
    (_User.run_the_second_way, 100),
    (_User.stream, 60),
    (_User.run_out_of_time, 10),
    (_User.kill, 20),
    (_User.print_much, 10),
    (_User.upload_and_look, 100),
    (_User.use_links, 100),
    (_User.be_somebody_new, 150),
    (_User.work_in_a_shell, 20),
    (_User.search, 20),
    (_User.break_off, 60),
]


def _path(link: dict[str, Any]) -> str:
    return "/" + str(link["url"]).split("/", 3)[3]


async def _do(server: Server, requests: int) -> None:
    """Have so many requests made by several users at once."""
    done = 0

    async def use(client: Client, number: int) -> None:
        nonlocal done
        user = _User(client, random.Random(number))  # noqa: S311 - no secret
        while done < requests:
            made = await user.act()
            done += made

    async with connected(server) as client, asyncio.TaskGroup() as users:
        for number in range(_AT_ONCE):
            users.create_task(use(client, requests + number))


@pytest.mark.timeout(600)
async def test_10000_requests_of_all_kinds_leave_no_process_no_open_file_no_thread_and_no_memory(
    tmp_path: Path,
) -> None:
    # On a busy machine there may come to be more threads, which then stay.
    with running(
        tmp_path,
        program=changed("from terminal_server import workers; workers._PATIENCE_SECONDS = 3600"),
        TERMINAL_SERVER_MAX_COMMANDS="100",
        TERMINAL_SERVER_MAX_SHELLS="100",
        TERMINAL_SERVER_KILL_GRACE_SECONDS="0.2",
        # What is free is given back at once: what is left is used.
        MALLOC_TRIM_THRESHOLD_="131072",
    ) as server:
        (server.home / "in").mkdir()
        with (server.home / "large").open("wb") as file:
            file.truncate(100_000_000)
        await _do(server, WARM_UP)
        before = await settled(server)
        memory = resident_bytes(server)
        await _do(server, REQUESTS)
        after = await settled(server)
        assert after == before
        grown = resident_bytes(server) - memory
        assert grown < GROWTH_BYTES, f"{grown} bytes more than before"
        print(json.dumps({"grown": grown, "children": before.children, "threads": before.threads}))  # noqa: T201
