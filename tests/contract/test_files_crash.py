"""A server that is killed leaves files as they were, or as they should be, and nothing else for long."""

import asyncio
import contextlib
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.contract.running import Client, Server, connected, names, running, until

NAMED = {"Upload-Metadata": "filename eA=="}
OLD = "old\n" * 50_000
NEW = "new\n" * 180_000


async def _write_for_ever(client: Client, target: Path) -> None:
    contents = [NEW, OLD]
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while True:
            await client.json("POST", "/files/write", json={"path": str(target), "content": contents[0]})
            contents.reverse()


async def _killed_while_writing(server: Server, target: Path) -> None:
    async with connected(server) as client:
        writing = [asyncio.create_task(_write_for_ever(client, target)) for _ in range(4)]
        unfinished = target.parent.glob
        await until(lambda: list(unfinished(".upload-*")), "a write is under way")
        server.process.send_signal(signal.SIGKILL)
        await asyncio.gather(*writing)
        server.process.wait()


async def test_a_server_killed_in_a_write_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"
    target.parent.mkdir()
    target.write_text(OLD)
    left_behind = False
    for attempt in range(20):
        with running(tmp_path / str(attempt), TERMINAL_SERVER_DATA_DIR=str(tmp_path / "data")) as server:
            assert names(target.parent) == ["file"]
            await _killed_while_writing(server, target)
        assert target.read_text() in {OLD, NEW}
        left_behind = left_behind or len(names(target.parent)) > 1
        if left_behind and attempt >= 2:
            break
    assert left_behind, "no attempt hit a write"
    with running(tmp_path / "last", TERMINAL_SERVER_DATA_DIR=str(tmp_path / "data")):
        assert names(target.parent) == ["file"]


async def test_a_server_that_starts_removes_nothing_another_one_is_writing(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    folder = tmp_path / "folder"
    folder.mkdir()
    release = asyncio.Event()

    async def slowly() -> object:
        yield b"x" * 2_000_000
        await release.wait()
        yield b"y"

    with running(tmp_path / "1", TERMINAL_SERVER_DATA_DIR=data) as first:
        async with connected(first) as client:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("file", slowly(), filename="file")
            sending = asyncio.create_task(client.json("POST", f"/files/upload?dir={folder}", data=form))
            await until(lambda: names(folder), "the upload began")
            with running(tmp_path / "2", TERMINAL_SERVER_DATA_DIR=data):
                assert len(names(folder)) == 1
            release.set()
            assert (await sending)["size"] == 2_000_001
    assert names(folder) == ["file"]


DYING = """
import os, runpy, signal, sys

steps = int(os.environ["STEPS"])

def look(event, arguments):
    global steps
    place = str(arguments[0]) if event == "open" else "/uploads/" if event == "fcntl.flock" else ""
    if "/uploads/" in place or "/.upload-" in place:
        steps -= 1
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(look)
runpy.run_module("terminal_server", run_name="__main__")
"""
"""A server that is killed before it takes a certain step with an upload."""


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_a_server_killed_while_it_begins_an_upload_leaves_nothing_that_nobody_removes(
    tmp_path: Path, steps: int
) -> None:
    data = tmp_path / "data"
    folder = tmp_path / "folder"
    folder.mkdir()
    program = ("-c", DYING)
    with running(
        tmp_path / "killed", program=program, TERMINAL_SERVER_DATA_DIR=str(data), STEPS=str(steps)
    ) as server:
        async with connected(server) as client:
            options = {"params": {"directory": str(folder)}, "headers": {"Upload-Length": "10", **NAMED}}
            with pytest.raises(aiohttp.ClientError):
                await client.json("POST", "/files/tus", 201, **options)
        assert server.process.wait() == -signal.SIGKILL
    with running(tmp_path / "next", TERMINAL_SERVER_DATA_DIR=str(data)):
        assert names(folder) == []
        assert names(data / "uploads") == []
