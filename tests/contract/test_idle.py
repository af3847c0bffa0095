"""Terminals that nobody uses end by themselves, and only those."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.running import DEADLINE_SECONDS, Client, Server, connected, running, until
from tests.contract.screens import opened, seen
from tests.contract.test_mcp import talking, text_of

IDLE, DRAIN = 0.6, 1.0
LONG_DRAIN = 60.0
"""So long that who looks for it sees it."""
# Its last moment lasts until there is a file "gate".
_SLOW = """
import runpy, time
from pathlib import Path
from terminal_server import lifecycle
note = lifecycle._note

def note_slowly(path, text):
    path.with_name("noting").touch()
    while not path.with_name("gate").exists():
        time.sleep(0.02)
    note(path, text)

lifecycle._note = note_slowly
lifecycle._LAST_SECONDS = 60
runpy.run_module("terminal_server", run_name="__main__")
"""


@asynccontextmanager
async def short_lived(
    folder: Path,
    idle_seconds: float = IDLE,
    drain_seconds: float = DRAIN,
    program: tuple[str, ...] = ("-m", "terminal_server"),
) -> AsyncIterator[tuple[Server, Client]]:
    """A server that ends when nothing has happened for a moment."""
    (folder / "reason").touch()
    with running(
        folder,
        program=program,
        TERMINAL_SERVER_IDLE_SECONDS=str(idle_seconds),
        TERMINAL_SERVER_DRAIN_SECONDS=str(drain_seconds),
        TERMINAL_SERVER_TERMINATION_FILE=str(folder / "reason"),
    ) as server:
        async with connected(server) as client:
            yield server, client


async def _until_phase(client: Client, wanted: Callable[[str], bool]) -> str:
    """Ask at `/ready`, which is a poll, until it says so; "ended" when nobody answers any more."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                async with client.request("GET", "/ready") as response:
                    phase = (await response.json())["status"]
                    assert (response.status == 200) == (phase == "ready")
            except (OSError, aiohttp.ClientError):
                phase = "ended"
            if wanted(phase):
                return str(phase)
            await asyncio.sleep(0.02)


async def _activity(client: Client) -> dict[str, Any]:
    answer = await client.json("GET", "/activity")
    assert isinstance(answer, dict)
    return answer


async def test_it_says_that_it_is_not_ready_and_serves_on(tmp_path: Path) -> None:
    async with short_lived(tmp_path, drain_seconds=LONG_DRAIN) as (server, client):
        assert await _until_phase(client, lambda phase: phase != "ready") == "draining"
        async with client.request("GET", "/health") as response:
            assert response.status == 200
        assert (await _activity(client))["phase"] == "draining"
        assert server.process.poll() is None


async def test_then_it_ends_with_the_reason(tmp_path: Path) -> None:
    async with short_lived(tmp_path) as (server, client):
        assert await _until_phase(client, lambda phase: phase == "ended") == "ended"
        assert await asyncio.to_thread(server.process.wait, DEADLINE_SECONDS) == 0
        assert (tmp_path / "reason").read_text().startswith("idle: nothing has happened for ")
        not_ready, ends = (
            server.logged().index("not ready any more"),
            server.logged().index("the server ends"),
        )
        assert not_ready < ends


async def test_a_request_while_it_drains_is_served_and_ends_the_attempt(tmp_path: Path) -> None:
    async with short_lived(tmp_path, drain_seconds=LONG_DRAIN) as (server, client):
        await _until_phase(client, lambda phase: phase == "draining")
        assert (await client.execute("echo still here"))["stdout"] == "still here\n"
        await until(lambda: "something happened: ready again" in server.logged(), "it took notice")
        async with _running_command(client):
            assert await _until_phase(client, lambda phase: phase != "draining") == "ready"
        assert server.process.poll() is None
        assert (tmp_path / "reason").read_text() == ""


async def test_in_its_last_moment_it_refuses_what_it_would_end_at_once(tmp_path: Path) -> None:
    async with (
        short_lived(tmp_path, idle_seconds=3, program=("-c", _SLOW)) as (server, client),
        seen(client, await opened(client)) as screen,
    ):
        await until((tmp_path / "noting").exists, "it was about to end")
        command = {"command": f"touch {tmp_path}/ran; sleep 1000"}
        async with client.request("POST", "/execute?wait=20", json=command) as response:
            assert (response.status, await response.json()) == (503, {"detail": "the server is stopping"})
            assert response.headers["Retry-After"] == "1"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await client.session.ws_connect(f"{server.url}/api/terminals/{screen.shell['id']}")
        async with talking(server) as mcp:
            called = await mcp.call_tool("run_command", command)
            assert (called.is_error, text_of(called)) == (True, "the server is stopping")
        assert await screen.closed() == 1012
        assert await client.json("GET", "/execute") == []
        assert await _until_phase(client, lambda _: True) == "stopping"
        (tmp_path / "gate").touch()
        assert await asyncio.to_thread(server.process.wait, DEADLINE_SECONDS) == 0
        assert (tmp_path / "reason").read_text().startswith("idle: ")
        assert not (tmp_path / "ran").exists()


@asynccontextmanager
async def _running_command(client: Client) -> AsyncIterator[None]:
    gate = client.server.home / "gate"
    os.mkfifo(gate)
    command = asyncio.create_task(client.execute("read x < gate", timeout=None))
    yield
    await asyncio.to_thread(gate.write_text, "go\n")
    await command


async def test_a_command_that_runs_keeps_it_awake_and_the_reason_is_told(tmp_path: Path) -> None:
    async with short_lived(tmp_path, drain_seconds=LONG_DRAIN) as (_, client), _running_command(client):
        await until(lambda: _tells_the_reason(client), "the command ran")
        assert await _until_phase(client, lambda phase: phase != "draining") == "ready"
        await asyncio.sleep(3 * IDLE)
        state = await _activity(client)
        assert not state["idle"]
        assert state["idle_since"] is None
        assert any("execute" in reason or "command" in reason for reason in state["reasons"])
        assert state["phase"] == "ready"


async def _tells_the_reason(client: Client) -> bool:
    return bool((await _activity(client))["reasons"])


async def test_polls_do_not_keep_it_awake(tmp_path: Path) -> None:
    async with short_lived(tmp_path) as (server, client):

        async def poll() -> None:
            while True:
                await client.json("GET", "/activity")

        polling = asyncio.create_task(poll())
        assert await asyncio.to_thread(server.process.wait, DEADLINE_SECONDS) == 0
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_strangers_do_not_keep_it_awake(tmp_path: Path) -> None:
    async with short_lived(tmp_path) as (server, _), connected(server, key=None) as stranger:

        async def knock() -> None:
            while True:
                for path in ("/execute", "/files/upload/not.valid", "/files/upload/", "/health"):
                    async with stranger.request("POST", path, json={"command": "true"}) as response:
                        assert response.status in {401, 404, 405}

        knocking = asyncio.create_task(knock())
        assert await asyncio.to_thread(server.process.wait, DEADLINE_SECONDS) == 0
        knocking.cancel()
        await asyncio.gather(knocking, return_exceptions=True)


async def test_without_a_limit_it_never_ends_and_still_tells(tmp_path: Path) -> None:
    async with short_lived(tmp_path, idle_seconds=0) as (server, client):
        await client.execute("true")
        first = await _activity(client)
        assert (first["idle"], first["reasons"], first["idle_limit_seconds"]) == (True, [], None)
        await asyncio.sleep(IDLE + DRAIN)
        second = await _activity(client)
        assert second["idle_since"] == first["idle_since"]
        assert server.process.poll() is None
