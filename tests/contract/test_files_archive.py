"""Archives of files and folders."""

import contextlib
import io
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.contract.running import Client, connected, running


async def archive(client: Client, *paths: Path) -> zipfile.ZipFile:
    body = {"paths": [str(path) for path in paths]}
    async with client.request("POST", "/files/archive", json=body) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "application/zip"
        made = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert made.testzip() is None
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "empty").mkdir(parents=True)
    (folder / "a.txt").write_text("text " * 1000)
    (folder / "a.txt").chmod(0o751)
    (folder / "b.png").write_bytes(os.urandom(300_000))
    return folder


async def test_a_folder_becomes_an_archive_that_other_programs_open(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    body = {"paths": [str(folder)]}
    async with client.request("POST", "/files/archive", json=body) as response:
        assert 'filename="folder.zip"' in response.headers["Content-Disposition"]
        (tmp_path / "made.zip").write_bytes(await response.read())
    answer = await client.execute(
        f"cd {tmp_path} && mkdir out && cd out && python3 -m zipfile -e ../made.zip ."
    )
    assert answer["exit_code"] == 0, answer
    answer = await client.execute(f"diff -r {folder} {tmp_path}/out/folder && echo same")
    assert answer["stdout"] == "same\n"
    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        assert made.getinfo("folder/a.txt").external_attr >> 16 == stat.S_IFREG | 0o751


async def test_several_paths_become_one_archive_and_equal_names_are_told_apart(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("other")
    made = await archive(client, folder / "a.txt", tmp_path / "a.txt", folder / "empty")
    assert made.namelist() == ["a.txt", "a.txt (2)", "empty/"]
    assert made.read("a.txt (2)") == b"other"


async def test_links_stay_links_and_what_is_no_file_is_left_out_and_said(
    client: Client, folder: Path
) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to("..")
    os.mkfifo(folder / "fifo")
    made = await archive(client, folder)
    assert made.read("folder/passwd") == b"/etc/passwd"
    assert stat.S_ISLNK(made.getinfo("folder/loop").external_attr >> 16)
    assert made.read("NOT-IN-THIS-ARCHIVE.txt") == b"folder/fifo: not an ordinary file\n"


async def test_names_in_an_archive_are_names_everywhere(client: Client, folder: Path) -> None:
    for name in (b"..\\..\\evil", b"\xff", "ä€😀".encode()):
        (folder / os.fsdecode(name)).write_text("x")
    (folder / "old").write_text("x")
    os.utime(folder / "old", (0, 0))
    names = (await archive(client, folder)).namelist()
    assert {"folder/.._.._evil", "folder/\ufffd", "folder/ä€😀", "folder/old"} <= set(names)


async def test_a_named_link_is_what_it_leads_to(client: Client, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    made = await archive(client, tmp_path / "link")
    assert made.read("link/a.txt") == (folder / "a.txt").read_bytes()


async def test_what_is_not_there_cannot_be_archived(client: Client, folder: Path) -> None:
    for paths, status in (([str(folder / "missing")], 404), ([], 422), (["a\0"], 422), ([""], 422)):
        await client.json("POST", "/files/archive", status, json={"paths": paths})


async def test_a_large_archive_uses_little_memory_and_no_disk(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with (tmp_path / "folder" / "large").open("wb") as file:
        file.truncate(3 * 1024**3 // 2)
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            body = {"paths": [str(tmp_path / "folder")]}
            patient = aiohttp.ClientTimeout(total=None, sock_read=60)
            async with client.request("POST", "/files/archive", json=body, timeout=patient) as response:
                with (tmp_path / "made.zip").open("wb") as made:
                    async for chunk in response.content.iter_chunked(1 << 20):
                        made.write(chunk)
        assert server.memory_peak() < 90e6
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        assert archive.getinfo("folder/large").file_size == 3 * 1024**3 // 2


@contextlib.contextmanager
def growing(file: Path) -> Iterator[None]:
    """A file that somebody writes to."""
    with subprocess.Popen(["bash", "-c", f"while :; do echo more >> {file}; done"]) as process:
        yield
        process.kill()


async def test_a_file_that_grows_while_it_is_sent_does_not_break_the_archive(
    client: Client, tmp_path: Path
) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(os.urandom(20_000_000))
    with growing(tmp_path / "file"):
        made = await archive(client, tmp_path / "file")
    assert made.getinfo("file").file_size >= 20_000_000
