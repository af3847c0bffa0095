"""Limits of the container reached: of memory, of processes, of open files. The server answers, and recovers."""

import asyncio
import contextlib
import os
import shlex
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import DEADLINE_SECONDS, Client, Server, alive, connected, pids, running
from tests.jail.jail import jailed

_GROUPS = Path("/sys/fs/cgroup")
_MEMORY_BYTES = 400_000_000
_FILES = 100
# A shell gives up for good when refused a few times, and each time another command may have had the last process.
_TAKES_EVERY_PROCESS = """
import os, time
while True:
    try:
        if not os.fork():
            os.execlp("sleep", "sleep", "1007")
    except BlockingIOError:
        time.sleep(0.01)
"""


@contextlib.contextmanager
def _memory_group(name: str) -> Iterator[Path]:
    """Make a control group with a limit of memory, of whichever version this machine has."""
    second = (_GROUPS / "cgroup.controllers").exists()
    group = (_GROUPS if second else _GROUPS / "memory") / name
    try:
        group.mkdir()
        (group / ("memory.max" if second else "memory.limit_in_bytes")).write_text(str(_MEMORY_BYTES))
    except OSError as error:
        pytest.skip(f"this machine lets nobody make a control group: {error}")
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove a control group: the last of its processes may be in it a moment after its end was told."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


async def test_a_command_that_uses_up_the_memory_dies_and_the_server_lives(tmp_path: Path) -> None:
    with _memory_group(f"terminal-server-test-{os.getpid()}") as group:
        wrap = ("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")
        with running(tmp_path, wrap=wrap) as server:
            async with connected(server) as client:
                greedy = asyncio.create_task(client.execute("tail /dev/zero", timeout=60))
                while not greedy.done():
                    assert await client.json("GET", "/health") == {"status": "ok"}
                    await asyncio.sleep(0.05)
                assert (await greedy)["exit_code"] == 137
                assert (await client.execute("echo well", timeout=20))["stdout"] == "well\n"
                assert server.process.poll() is None


async def test_who_has_used_up_all_processes_can_still_see_and_end_what_did_it(tmp_path: Path) -> None:
    with jailed(tmp_path, JAIL_PROCESSES="60") as server:
        async with connected(server) as client:
            command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(_TAKES_EVERY_PROCESS)}"
            await client.json("POST", "/execute?wait=0", json={"command": command})
            refused = await _until_refused(client)
            assert "detail" in refused
            assert await client.json("GET", "/health") == {"status": "ok"}
            await client.json("POST", "/files/write", json={"path": "file", "content": "written"})
            assert (await client.json("GET", "/files/read", params={"path": "file"}))["content"] == "written"
            (run,) = [one for one in await client.json("GET", "/execute") if one["status"] == "running"]
            await client.json("DELETE", f"/execute/{run['id']}?force=true")
            assert (await client.execute("echo well", timeout=20))["stdout"] == "well\n"


async def _until_refused(client: Client) -> Any:
    """Start commands until none can be started."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            options = {"json": {"command": "true", "timeout": 20}}
            async with client.request("POST", "/execute", **options) as response:
                if response.status != 200:
                    assert response.status == 503, await response.text()
                    return await response.json()
                # A shell that could be started, but could start nothing.
                assert isinstance((await response.json())["exit_code"], int)


@pytest.fixture
def few_files(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, wrap=("prlimit", f"--nofile={_FILES}")) as started:
        yield started


@pytest.fixture
async def client(few_files: Server) -> AsyncIterator[Client]:
    async with connected(few_files) as made:
        yield made


async def test_commands_that_need_more_open_files_than_there_may_be_are_refused_and_others_work_later(
    client: Client, tmp_path: Path
) -> None:
    command = f"echo $$ >> {tmp_path}/pids; sleep 1008"
    statuses = []
    for _ in range(_FILES):
        async with client.request("POST", "/execute?wait=0", json={"command": command}) as response:
            statuses.append(response.status)
            assert (await response.json()).get("detail") or response.status == 200
    assert set(statuses) == {200, 503}
    assert await client.json("GET", "/health") == {"status": "ok"}
    for run in await client.json("GET", "/execute"):
        await client.json("DELETE", f"/execute/{run['id']}?force=true")
    assert not any(map(alive, pids(tmp_path / "pids")))
    assert (await client.execute("echo well", timeout=20))["stdout"] == "well\n"


async def test_more_connections_than_open_files_are_left_waiting_and_served_when_others_go(
    client: Client, few_files: Server
) -> None:
    assert await client.json("GET", "/health") == {"status": "ok"}
    with contextlib.ExitStack() as opened:
        for _ in range(2 * _FILES):
            opened.enter_context(socket.create_connection(("127.0.0.1", few_files.port), 5))
        # The connection that is there already is served meanwhile.
        assert await client.json("GET", "/health") == {"status": "ok"}

    async with connected(few_files) as another, asyncio.timeout(DEADLINE_SECONDS):
        assert (await another.execute("echo well", timeout=20))["stdout"] == "well\n"
    assert few_files.logged().count("\n") < 10 * _FILES
