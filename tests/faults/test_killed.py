"""A server that is killed in the middle of a change leaves the old file or the new one, and the next one tidies up."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.contract.running import Client, connected, names, running, until

_ROUNDS = 5
_OLD = "old\n" * 200_000
_NEW = "new\n" * 200_000


async def _write(client: Client) -> None:
    await client.json("POST", "/files/write", json={"path": "file", "content": _NEW})


async def _upload(client: Client) -> None:
    await client.upload(_NEW.encode(), "file", "~")


async def _replace(client: Client) -> None:
    change = {"target": "old", "replacement": "new", "allow_multiple": True}
    await client.json("POST", "/files/replace", json={"path": "file", "replacements": [change]})


@pytest.mark.parametrize("change", [_write, _upload, _replace])
async def test_killed_in_the_middle_of_a_change_it_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, change: Callable[[Client], Awaitable[None]]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    file = home / "file"
    chance = random.Random(change.__name__)  # noqa: S311 - no secret
    for number in range(_ROUNDS):
        file.write_text(_OLD)
        with running(tmp_path / str(number), TERMINAL_SERVER_HOME=str(home)) as server:
            assert not _unfinished(home), "what the last one left behind is removed"
            async with connected(server) as client:
                await client.json("GET", "/files/list")
                changing = asyncio.ensure_future(change(client))
                await asyncio.sleep(chance.uniform(0, 0.03))
                server.process.send_signal(signal.SIGKILL)
                with contextlib.suppress(aiohttp.ClientError):
                    await changing
            server.process.wait()
        assert file.read_text() in {_OLD, _NEW}
    with running(tmp_path / "last", TERMINAL_SERVER_HOME=str(home)):
        assert not _unfinished(home)


async def test_what_a_killed_upload_left_is_removed_by_the_next_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    file = home / "file"
    with running(tmp_path / "killed", TERMINAL_SERVER_HOME=str(home)) as server:
        async with connected(server) as client:
            uploading = asyncio.ensure_future(_upload_for_ever(client))
            await until(lambda: _unfinished(home), "the upload has begun")
            server.process.send_signal(signal.SIGKILL)
            with pytest.raises(aiohttp.ClientError):
                await uploading
        server.process.wait()
    assert _unfinished(home)
    with running(tmp_path / "next", TERMINAL_SERVER_HOME=str(home)):
        assert not _unfinished(home)
        assert not file.exists()


async def _upload_for_ever(client: Client) -> None:
    async def pieces() -> object:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
        while True:
            yield b"x" * 100_000
            await asyncio.sleep(0.01)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with client.request("POST", "/files/upload?dir=~", data=pieces(), headers=headers):
        raise AssertionError("there is no answer before the end")


def _unfinished(home: Path) -> list[str]:
    return [name for name in names(home) if name.startswith(".upload-")]
