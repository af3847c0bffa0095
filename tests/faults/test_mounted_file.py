"""A file that is a mount of its own, as Docker and a `subPath` of Kubernetes make it: no other can take its name."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.running import Client, connected, names, running
from tests.contract.test_files_tus import begin, send
from tests.faults.mounts import mounting, seen_by

_MOUNT = """
mkdir -p "$HOME" "$OTHER"
mount -t tmpfs -o mode=700,size=512k disk "$OTHER"
printf 'old\\r\\n' > "$OTHER/given.txt"
chmod 640 "$OTHER/given.txt"
touch "$HOME/mounted.txt"
mount --bind "$OTHER/given.txt" "$HOME/mounted.txt"
exec "$@"
"""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    wrap = mounting("sh", "-ec", _MOUNT, "sh")
    with running(tmp_path, wrap=wrap, OTHER=str(tmp_path / "other")) as server:
        async with connected(server) as made:
            yield made


def _given(client: Client) -> Path:
    """The file, where it was before it was mounted."""
    return seen_by(client.server, client.server.home.parent / "other" / "given.txt")


async def test_every_way_to_change_it_does_and_leaves_nothing_beside_it(client: Client) -> None:
    home, given = seen_by(client.server, client.server.home), _given(client)
    inode = given.stat().st_ino
    long = {"path": "mounted.txt", "content": "new\n" * 1000}
    assert (await client.json("POST", "/files/write", json=long))["size"] == 5000
    assert given.read_bytes() == b"new\r\n" * 1000
    await client.json("POST", "/files/write", json={**long, "content": "a\nb\n"})
    assert given.read_bytes() == b"a\r\nb\r\n"
    change = {"path": "mounted.txt", "replacements": [{"target": "a", "replacement": "more"}]}
    await client.json("POST", "/files/replace", json=change)
    assert given.read_bytes() == b"more\r\nb\r\n"
    await client.upload(b"uploaded", "mounted.txt", "~")
    assert given.read_bytes() == b"uploaded"
    (home / "link").symlink_to("mounted.txt")
    await client.json("POST", "/files/write", json={"path": "link", "content": ""})
    assert given.read_bytes() == b""
    assert (given.stat().st_ino, given.stat().st_mode & 0o777) == (inode, 0o640)
    assert [name for name in names(home) if not name.startswith(".")] == ["link", "mounted.txt"]
    assert [name for name in names(home) if "upload-" in name] == []


async def test_an_upload_in_parts_becomes_it(client: Client) -> None:
    where = await begin(client, client.server.home, 4, "mounted.txt")
    await send(client, where, 0, b"ne")
    assert await send(client, where, 2, b"w!") == 4
    assert _given(client).read_bytes() == b"new!"
    assert [name for name in names(seen_by(client.server, client.server.home)) if "upload-" in name] == []


async def test_what_there_is_no_room_for_leaves_it_as_it_was(client: Client) -> None:
    large = {"path": "mounted.txt", "content": "x" * 800_000}
    await client.json("POST", "/files/write", 507, json=large)
    assert _given(client).read_bytes() == b"old\r\n"
    await client.json("POST", "/files/write", json={"path": "mounted.txt", "content": "new"})
    assert _given(client).read_bytes() == b"new"
