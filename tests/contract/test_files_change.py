"""Writing files, and changing them in part."""

import asyncio
import contextlib
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, connected, names, running


async def write(client: Client, path: str | Path, content: str, status: int = 200) -> Any:
    return await client.json("POST", "/files/write", status, json={"path": str(path), "content": content})


async def replace(client: Client, path: str | Path, *wanted: dict[str, Any], status: int = 200) -> Any:
    body = {"path": str(path), "replacements": list(wanted)}
    return await client.json("POST", "/files/replace", status, json=body)


async def test_a_file_is_written_with_the_folders_it_needs(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"
    assert await write(client, target, "ä\n") == {"path": str(target), "size": 3}
    assert target.read_bytes() == b"\xc3\xa4\n"
    assert names(target.parent) == ["b.txt"]
    assert await write(client, target, "") == {"path": str(target), "size": 0}


async def test_a_file_that_is_replaced_keeps_its_mode_and_is_never_seen_half_written(
    client: Client, tmp_path: Path
) -> None:
    target = tmp_path / "script"
    target.write_text("old")
    target.chmod(0o750)
    with target.open() as reader:
        await write(client, target, "new")
        assert reader.read() == "old"
    assert target.stat().st_mode & 0o7777 == 0o750
    if os.geteuid() == 0:
        os.chown(target, 1234, 1235)
        await write(client, target, "newer")
        assert (target.stat().st_uid, target.stat().st_gid) == (1234, 1235)


async def test_a_link_stays_a_link_and_what_it_leads_to_is_written(client: Client, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/new")
    answer = await write(client, tmp_path / "link", "x")
    assert answer["path"] == str(tmp_path / "folder" / "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "new").read_text() == "x"


@pytest.mark.parametrize(
    ("old", "content", "new"),
    [
        (b"a\r\nb\r\n", "a\nc\n", b"a\r\nc\r\n"),
        (b"a\r\nb\r\n", "a\r\nc\r\n", b"a\r\nc\r\n"),
        (b"a\nb\n", "a\nc\n", b"a\nc\n"),
        (b"a\r\nb\n", "a\nc\n", b"a\nc\n"),
        ("\ufeffä\r\nx\r\n".encode("utf-16-le"), "ö\n", "\ufeffö\r\n".encode("utf-16-le")),
        (b"\xef\xbb\xbfa", "b", b"\xef\xbb\xbfb"),
        ("ä".encode("latin-1"), "ö", "ö".encode("latin-1")),
        ("ä".encode("latin-1"), "😀", "😀".encode()),
        (b"\0\1binary", "text\n", b"text\n"),
    ],
)
async def test_a_file_keeps_its_line_ends_and_its_encoding(
    client: Client, tmp_path: Path, old: bytes, content: str, new: bytes
) -> None:
    (tmp_path / "file").write_bytes(old)
    answer = await write(client, tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == new
    assert answer["size"] == len(new)


async def test_a_file_too_large_to_be_looked_through_becomes_what_it_is_given(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_READ_LIMIT_BYTES="1000") as server:
        async with connected(server) as client:
            for old, new in (
                (b"x" + "ä".encode() * 2000, "ö".encode()),
                (("\ufeff" + "ä" * 2000).encode("utf-16-le"), "\ufeffö".encode("utf-16-le")),
            ):
                (server.home / "file").write_bytes(old)
                await write(client, "file", "ö")
                assert (server.home / "file").read_bytes() == new


@pytest.mark.parametrize(
    "data",
    [
        b"a\r\nb\r\n",
        b"a\r\nb\nc\r",
        b"\xef\xbb\xbfa\r\n",
        "\ufeffä\r\n".encode("utf-16-be"),
        b"\xe4\x80\r\n",
        b"",
        b"x",
    ],
)
async def test_what_was_read_can_be_saved_back_without_changing_a_byte(
    client: Client, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "file").write_bytes(data)
    content = (await client.json("GET", "/files/read", params={"path": str(tmp_path / "file")}))["content"]
    await write(client, tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == data


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("folder", 409),
        ("file/x", 409),
        ("loop", 400),
        ("x" * 256, 400),
        ("x/" * 3000, 400),
        ("/proc/x", 400),
        ("/dev/null", 400),
        ("/sys/x/y", 400),
        ("a\0b", 422),
        ("", 422),
    ],
)
async def test_where_nothing_can_be_written_it_is_said(
    client: Client, tmp_path: Path, path: str, status: int
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    where = path if path.startswith("/") or not path else f"{tmp_path}/{path}"
    await write(client, where, "x", status)
    assert names(tmp_path) == ["file", "folder", "loop"]


SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the place this is about


@pytest.mark.skipif(not os.access(SHARED_MEMORY, os.W_OK), reason="there is no shared memory")
async def test_shared_memory_is_a_disk_like_others(client: Client) -> None:
    path = SHARED_MEMORY / f"terminal-server-test-{os.getpid()}"
    await write(client, path, "x")
    assert (await client.json("GET", "/files/read", params={"path": str(path)}))["content"] == "x"
    await client.json("DELETE", "/files/delete", params={"path": str(path)})


async def test_a_documents_text_is_not_written_over_the_document(client: Client, tmp_path: Path) -> None:
    document = b"PK\x03\x04" + bytes(100)
    (tmp_path / "report.odt").write_bytes(document)
    assert "document" in (await write(client, tmp_path / "report.odt", "text", 409))["detail"]
    assert (tmp_path / "report.odt").read_bytes() == document
    await replace(client, tmp_path / "report.odt", {"target": "a", "replacement": "b"}, status=415)
    (tmp_path / "note.rtf").write_text("{\\rtf1 a}")
    await write(client, tmp_path / "note.rtf", "{\\rtf1 b}")
    assert (tmp_path / "note.rtf").read_text() == "{\\rtf1 b}"


async def test_strings_are_replaced_all_or_none(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"one\r\ntwo\r\nthree\r\n")
    answer = await replace(
        client,
        target,
        {"target": "one\ntwo", "replacement": "1\n2"},
        {"target": "three", "replacement": "3", "start_line": 3, "end_line": 3, "allow_multiple": None},
    )
    assert answer == {"path": str(target), "size": 9}
    assert target.read_bytes() == b"1\r\n2\r\n3\r\n"
    answer = await replace(
        client,
        target,
        {"target": "1", "replacement": "one"},
        {"target": "nowhere", "replacement": ""},
        status=400,
    )
    assert "replacements[1]" in answer["detail"]
    assert target.read_bytes() == b"1\r\n2\r\n3\r\n"


async def test_what_stands_in_a_file_more_than_once_is_replaced_only_if_that_is_meant(
    client: Client, tmp_path: Path
) -> None:
    target = tmp_path / "file"
    target.write_text("a\nb\na\n")
    answer = await replace(client, target, {"target": "a", "replacement": "x"}, status=400)
    assert "found 2 times, in lines 1, 3" in answer["detail"]
    await replace(client, target, {"target": "a", "replacement": "x", "allow_multiple": True})
    assert target.read_text() == "x\nb\nx\n"


@pytest.mark.parametrize(
    ("name", "status"), [("missing", 404), ("folder", 409), ("fifo", 400), ("binary", 415), ("loop", 400)]
)
async def test_strings_are_replaced_in_text_only(
    client: Client, tmp_path: Path, name: str, status: int
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "binary").write_bytes(b"a\0")
    (tmp_path / "loop").symlink_to("loop")
    await replace(client, tmp_path / name, {"target": "a", "replacement": "b"}, status=status)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"path": "x"},
        {"path": "x", "replacements": "[" * 100_000},
        {"path": "x", "replacements": [{"target": "", "replacement": "x"}]},
        {"path": "x", "replacements": [{"target": "x"}]},
        {"path": "x", "replacements": [{"target": "x", "replacement": "y", "start_line": 0}]},
    ],
)
async def test_a_replacement_that_says_too_little_is_refused(client: Client, body: dict[str, Any]) -> None:
    await client.json("POST", "/files/replace", 422, json=body)


@pytest.mark.parametrize(
    "wanted",
    [
        '[{"target": "a", "replacement": "x"}]',
        {"target": "a", "replacement": "x"},
        [{"target": "a", "replacement": "x", "start_line": "", "end_line": "null", "allow_multiple": None}],
        [{"target": "a", "replacement": "x", "start_line": "1", "allow_multiple": "True"}],
        [{"target": "a", "replacement": "x", "end_line": 1.0, "allow_multiple": ""}],
    ],
)
async def test_a_replacement_is_taken_in_the_ways_models_send_it(
    client: Client, tmp_path: Path, wanted: object
) -> None:
    (tmp_path / "file").write_text("a\n")
    await client.json("POST", "/files/replace", json={"path": str(tmp_path / "file"), "replacements": wanted})
    assert (tmp_path / "file").read_text() == "x\n"


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    for call, size in (
        ("write", 40_000_000),
        ("replace", 40_000_000),
        ("mkdir", 2_000_000),
        ("move", 2_000_000),
    ):
        body = io.BytesIO(b'{"path": "' + b"x" * size)
        async with client.request("POST", f"/files/{call}", data=body) as response:
            assert response.status == 413


async def test_many_who_write_at_once_leave_what_one_of_them_wrote(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "file"
    contents = [str(number) * 200_000 for number in range(10)]
    await asyncio.gather(*(write(client, target, content) for content in contents))
    assert target.read_text() in contents
    assert names(tmp_path) == ["file"]


async def test_no_replacement_changes_nothing_in_a_file_that_is_there(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\n")
    assert await replace(client, tmp_path / "file") == {"path": str(tmp_path / "file"), "size": 3}
    assert (tmp_path / "file").read_bytes() == b"a\r\n"
    await replace(client, tmp_path / "nothing", status=404)


async def test_of_many_replacements_at_once_none_is_lost(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("".join(f"<{number}>" for number in range(30)))
    await asyncio.gather(
        *(
            replace(client, target, {"target": f"<{number}>", "replacement": f"[{number}]"})
            for number in range(30)
        )
    )
    assert target.read_text() == "".join(f"[{number}]" for number in range(30))


async def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    limited = ("bash", "-c", 'ulimit -f 1000; exec "$@"', "bash")
    with running(tmp_path / "server", wrap=limited) as server:
        async with connected(server) as client:
            await write(client, "file", "old")
            await write(client, "file", "x" * 1_030_000, 507)
            wanted = {"target": "old", "replacement": "x" * 1_030_000}
            await replace(client, "file", wanted, status=507)
        assert (server.home / "file").read_text() == "old"
        assert not [name for name in names(server.home) if name.startswith(".upload-")]


@contextlib.contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """A disk on a folder that cannot be written to."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let file systems be mounted")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
async def test_a_disk_that_cannot_be_written_to_is_told(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with read_only_disk(tmp_path):
        listed = await client.json("GET", "/files/list", params={"directory": str(tmp_path)})
        assert listed["writable"] is False
        await write(client, tmp_path / "new", "x", 403)
        await client.json("POST", "/files/mkdir", 403, json={"path": f"{tmp_path}/new"})
        await client.upload(b"x", "new", str(tmp_path), status=403)
