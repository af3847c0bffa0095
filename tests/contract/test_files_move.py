"""Making, moving and removing files and folders."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, names


async def move(client: Client, source: Path, destination: Path, status: int = 200) -> Any:
    body = {"source": str(source), "destination": str(destination)}
    return await client.json("POST", "/files/move", status, json=body)


async def remove(client: Client, path: str | Path, status: int = 200) -> Any:
    return await client.json("DELETE", "/files/delete", status, params={"path": str(path)})


async def test_a_folder_is_made_with_those_it_is_in_and_may_be_there(client: Client, tmp_path: Path) -> None:
    for _ in range(2):
        answer = await client.json("POST", "/files/mkdir", json={"path": f"{tmp_path}/a/b"})
        assert answer == {"path": f"{tmp_path}/a/b"}
    (tmp_path / "file").touch()
    for path, status in (("file", 409), ("file/x", 409), ("x" * 256, 400)):
        await client.json("POST", "/files/mkdir", status, json={"path": f"{tmp_path}/{path}"})
    for path in ("", "a\0b"):
        await client.json("POST", "/files/mkdir", 422, json={"path": path})


async def test_files_and_folders_are_moved(client: Client, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    answer = await move(client, tmp_path / "folder", tmp_path / "new")
    assert answer == {"source": f"{tmp_path}/folder", "destination": f"{tmp_path}/new"}
    await move(client, tmp_path / "new" / "file", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "x"
    (tmp_path / "link").symlink_to("nowhere")
    await move(client, tmp_path / "link", tmp_path / "other")
    assert (tmp_path / "other").is_symlink()


async def test_nothing_is_moved_onto_something(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("b", "broken", "folder", "a"):
        await move(client, tmp_path / "a", tmp_path / name, 409)
    await move(client, tmp_path / "missing", tmp_path / "c", 404)
    await move(client, tmp_path / "a", tmp_path / "missing" / "c", 400)
    await move(client, tmp_path / "folder", tmp_path / "folder" / "inside", 400)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("a", "b")


async def test_what_the_home_is_in_is_neither_moved_nor_removed(client: Client, tmp_path: Path) -> None:
    home = client.server.home
    (tmp_path / "link").symlink_to(home.parent)
    for path in (Path("/"), home, home.parent, tmp_path / "link" / home.name, home / "x" / ".."):
        await remove(client, path, 403)
    await move(client, home, tmp_path / "home", 403)
    assert home.is_dir()


async def test_a_file_a_link_and_a_folder_with_all_in_it_are_removed(client: Client, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    (tmp_path / "folder" / "inside" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "link").symlink_to("kept")
    os.mkfifo(tmp_path / "fifo")
    for name, kind in (("link", "file"), ("folder", "directory"), ("fifo", "file")):
        assert await remove(client, tmp_path / name) == {"path": f"{tmp_path}/{name}", "type": kind}
    assert names(tmp_path) == ["kept"]
    assert names(tmp_path / "kept") == ["file"]
    await remove(client, tmp_path / "missing", 404)
    await remove(client, tmp_path / "kept" / "file" / "x", 409)
    await remove(client, "/proc/self/status", 403)


async def test_folders_too_deep_for_this_are_the_clients_error(client: Client, tmp_path: Path) -> None:
    depth = "mkdir deep && cd deep && for i in $(seq 1500); do mkdir d && cd d || exit; done"
    await client.execute(f"cd {tmp_path} && {depth}")
    async with client.request("DELETE", "/files/delete", params={"path": f"{tmp_path}/deep"}) as response:
        assert response.status in {200, 400}, await response.text()
    await client.execute(f"rm -rf {tmp_path}/deep")


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system: shared memory, which needs no right to mount."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        if Path(folder).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("the folder for temporary files is shared memory itself")
        yield Path(folder)


async def test_a_move_to_another_disk_keeps_everything_or_changes_nothing(
    client: Client, tmp_path: Path, other_disk: Path
) -> None:
    source = tmp_path / "source"
    (source / "inside").mkdir(parents=True)
    (source / "inside" / "file").write_text("x")
    (source / "inside" / "file").chmod(0o640)
    os.utime(source / "inside" / "file", (1, 1))
    (source / "link").symlink_to("inside/file")
    await move(client, source, other_disk / "moved")
    assert not source.exists()
    assert names(other_disk) == ["moved"]
    file = other_disk / "moved" / "inside" / "file"
    assert (file.read_text(), file.stat().st_mode & 0o777, file.stat().st_mtime) == ("x", 0o640, 1)
    assert (other_disk / "moved" / "link").readlink() == Path("inside/file")
    await move(client, file, source)
    assert source.read_text() == "x"
    os.mkfifo(other_disk / "moved" / "fifo")
    await move(client, other_disk / "moved", tmp_path / "back", 400)
    assert (other_disk / "moved" / "fifo").is_fifo()
    assert names(tmp_path) == ["source"]
