"""Disks that are full, have no inodes left, or can only be read: it is said, nothing is lost, and it passes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, Server, connected, names, running
from tests.faults.mounts import on_disk, remount, seen_by

_FILL = "head -c 1000000000 /dev/zero > filler; true"


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(tmp_path, wrap=on_disk(HOME=request.param)) as started:
        yield started


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with connected(server) as made:
        yield made


small = pytest.mark.parametrize("server", ["size=4m"], indirect=True)
without_inodes = pytest.mark.parametrize("server", ["nr_inodes=100"], indirect=True)
large = pytest.mark.parametrize("server", ["size=100m"], indirect=True)


async def _write(client: Client, name: str, content: str, status: int = 200) -> Any:
    return await client.json("POST", "/files/write", status, json={"path": name, "content": content})


async def _changes_fail(client: Client, status: int) -> None:
    """Every way to change or make a file is refused so, by name; what is there stays as it is."""
    home = seen_by(client.server, client.server.home)
    before = names(home)
    change = {"path": "old.txt", "replacements": [{"target": "old", "replacement": "new" * 10_000}]}
    refusals = [
        await _write(client, "old.txt", "new" * 10_000, status),
        await _write(client, "new.txt", "new" * 10_000, status),
        await client.json("POST", "/files/replace", status, json=change),
        await client.upload(b"new" * 300_000, "old.txt", "~", status),
        await client.upload(b"new" * 300_000, "new.txt", "~", status),
    ]
    assert all("detail" in refusal for refusal in refusals)
    assert (home / "old.txt").read_text() == "old"
    assert names(home) == before


async def _all_is_well(client: Client) -> None:
    assert await client.json("GET", "/health") == {"status": "ok"}
    await _write(client, "old.txt", "new")
    assert (await client.json("GET", "/files/read", params={"path": "old.txt"}))["content"] == "new"
    assert (await client.execute("seq 100000 | tail -n 1", timeout=20))["stdout"] == "100000\n"
    assert [name for name in names(seen_by(client.server, client.server.home)) if "upload-" in name] == []


@small
async def test_a_full_home_is_told_loses_no_file_and_passes(client: Client) -> None:
    await _write(client, "old.txt", "old")
    await client.execute(_FILL, timeout=20)
    await _changes_fail(client, 507)
    assert await client.json("GET", "/health") == {"status": "ok"}
    assert (await client.execute("echo still here", timeout=20))["stdout"] == "still here\n"
    await client.json("DELETE", "/files/delete", params={"path": "filler"})
    await _all_is_well(client)


@small
async def test_output_for_which_there_is_no_space_is_counted_and_not_lost_silently(client: Client) -> None:
    await client.execute(_FILL, timeout=20)
    whole = await client.execute_unread("head -c 30000000 /dev/zero | tr '\\0' x; exit 7", timeout=20)
    assert whole["exit_code"] == 7
    assert len(whole["stdout"]) < 30_000_000
    lost = 30_000_000 - len(whole["stdout"])
    assert f"{lost} bytes of stdout are lost: No space left on device" in whole["stderr"]
    run = {"command": "head -c 3000000 /dev/zero | tr '\\0' x; exit 7"}
    report = await client.json("POST", "/execute?wait=20", json=run)
    assert report["exit_code"] == 7
    notices = [entry["data"] for entry in report["output"] if entry["type"] == "notice"]
    assert any("No space left on device" in notice for notice in notices), report["output"]


@without_inodes
async def test_a_home_without_inodes_is_told_loses_no_file_and_passes(client: Client) -> None:
    await _write(client, "old.txt", "old")
    await client.execute("mkdir many; for i in $(seq 200); do : > many/$i || break; done", timeout=20)
    await _changes_fail(client, 507)
    await client.json("POST", "/files/mkdir", 507, json={"path": "another"})
    assert await client.json("GET", "/health") == {"status": "ok"}
    await client.json("DELETE", "/files/delete", params={"path": "many"})
    await _all_is_well(client)


@large
async def test_a_home_that_can_only_be_read_is_told_and_passes(client: Client) -> None:
    await _write(client, "old.txt", "old")
    remount(client.server, client.server.home, "ro")
    await _changes_fail(client, 403)
    for path, body in (
        ("mkdir", {"path": "another"}),
        ("move", {"source": "old.txt", "destination": "new.txt"}),
    ):
        await client.json("POST", f"/files/{path}", 403, json=body)
    await client.json("DELETE", "/files/delete", 403, params={"path": "old.txt"})
    assert (await client.json("GET", "/files/read", params={"path": "old.txt"}))["content"] == "old"
    assert not (await client.json("GET", "/files/list"))["writable"]
    assert (await client.execute("cat old.txt; echo; seq 5", timeout=20))["stdout"] == "old\n1\n2\n3\n4\n5\n"
    whole = await client.execute_unread("head -c 30000000 /dev/zero | tr '\\0' x", timeout=20)
    assert "are lost: Read-only file system" in whole["stderr"]
    report = await client.json("POST", "/execute?wait=20", json={"command": "seq 5"})
    assert (
        "".join(entry["data"] for entry in report["output"] if entry["type"] == "stdout") == "1\n2\n3\n4\n5\n"
    )
    remount(client.server, client.server.home, "rw")
    await _all_is_well(client)


async def test_a_full_data_folder_keeps_nobody_from_working(tmp_path: Path) -> None:
    data = tmp_path / "data"
    wrap = on_disk(TERMINAL_SERVER_DATA_DIR="size=64k")
    with running(tmp_path / "server", wrap=wrap, TERMINAL_SERVER_DATA_DIR=str(data)) as server:
        async with connected(server) as client:
            await client.execute(f"head -c 1000000 /dev/zero > {data}/filler; true", timeout=20)
            await _write(client, "file", "x" * 100_000)
            await client.upload(b"x" * 900_000, "uploaded")
            assert (server.home / "in/uploaded").stat().st_size == 900_000
            report = await client.json("POST", "/execute?wait=20", json={"command": "seq 5; exit 7"})
            assert report["exit_code"] == 7
            printed = "".join(entry["data"] for entry in report["output"] if entry["type"] == "stdout")
            assert printed == "1\n2\n3\n4\n5\n"
            whole = await client.execute_unread("head -c 30000000 /dev/zero | tr '\\0' x", timeout=20)
            assert "are lost: No space left on device" in whole["stderr"]
