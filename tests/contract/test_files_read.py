"""Reading files, and looking into folders."""

import codecs
import os
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.running import Client, Server, connected, names, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.txt").write_text("one\ntwo\n")
    (tmp_path / "A folder").mkdir()
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("A folder")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


async def read(client: Client, path: str | Path, status: int = 200, **lines: int) -> Any:
    return await client.json("GET", "/files/read", status, params={"path": str(path), **lines})


async def test_a_folder_is_listed_with_links_followed_and_broken_ones_shown(
    client: Client, folder: Path
) -> None:
    answer = await client.json("GET", "/files/list", params={"directory": str(folder)})
    assert answer["dir"] == str(folder)
    assert answer["writable"] is True
    assert [(one["name"], one["type"]) for one in answer["entries"]] == [
        ("A folder", "directory"),
        ("b.txt", "file"),
        ("broken", "file"),
        ("fifo", "file"),
        ("link", "directory"),
        ("loop", "file"),
    ]
    file = answer["entries"][1]
    assert file["size"] == 8
    assert file["modified"] == pytest.approx(time.time(), abs=60)
    assert file["writable"] is True


async def test_without_a_folder_the_working_directory_is_listed(client: Client) -> None:
    assert (await client.json("GET", "/files/list"))["dir"] == str(client.server.home)


@pytest.mark.parametrize(
    ("name", "status"), [("missing", 404), ("b.txt", 404), ("loop", 400), ("x" * 256, 400), ("fifo", 404)]
)
async def test_what_is_no_folder_cannot_be_listed(
    client: Client, folder: Path, name: str, status: int
) -> None:
    await client.json("GET", "/files/list", status, params={"directory": str(folder / name)})


async def test_a_folder_of_100000_entries_is_listed_in_parts_while_others_are_served(
    client: Client, tmp_path: Path
) -> None:
    for number in range(100_000):
        (tmp_path / f"{number:06}").touch()
    answer = await client.json("GET", "/files/list", params={"directory": str(tmp_path)})
    assert (len(answer["entries"]), answer["total"], answer["truncated"]) == (10_000, 100_000, True)
    options = {"directory": str(tmp_path), "offset": 99_999, "limit": 5}
    answer = await client.json("GET", "/files/list", params=options)
    assert [one["name"] for one in answer["entries"]] == ["099999"]
    assert answer["truncated"] is False


async def test_a_name_that_is_no_text_is_shown_and_understood_when_it_comes_back(
    client: Client, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"d\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"f\xfe.txt")).write_text("x")
    (first,) = (await client.json("GET", "/files/list", params={"directory": str(tmp_path)}))["entries"]
    assert first["name"] == "d\ufffd"
    inside = f"{tmp_path}/{first['name']}"
    (second,) = (await client.json("GET", "/files/list", params={"directory": inside}))["entries"]
    path = f"{inside}/{second['name']}"
    assert (await read(client, path))["content"] == "x"
    await client.json("POST", "/files/move", json={"source": path, "destination": f"{tmp_path}/plain"})
    assert (tmp_path / "plain").read_text() == "x"


async def test_a_shown_name_that_fits_two_files_is_refused(client: Client, tmp_path: Path) -> None:
    for name in (b"\xff", b"\xfe"):
        (tmp_path / os.fsdecode(name)).write_text("x")
    await read(client, f"{tmp_path}/\ufffd", 400)
    await client.json("DELETE", "/files/delete", 400, params={"path": f"{tmp_path}/\ufffd"})


async def test_a_text_is_read_whole_or_in_lines(client: Client, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one\r\ntwo\nthree")
    assert await read(client, tmp_path / "text") == {
        "path": str(tmp_path / "text"),
        "content": "one\r\ntwo\nthree",
        "total_lines": 3,
    }
    answer = await read(client, tmp_path / "text", start_line=2, end_line=2)
    assert (answer["content"], answer["total_lines"]) == ("two\n", 3)
    assert (await read(client, tmp_path / "text", start_line=9))["content"] == ""
    await read(client, tmp_path / "text", 422, start_line=3, end_line=2)
    await read(client, tmp_path / "text", 422, start_line=0)


async def test_empty_and_null_lines_are_no_lines(client: Client, folder: Path) -> None:
    path = quote(str(folder / "b.txt"))
    answer = await client.json("GET", f"/files/read?path={path}&start_line=null&end_line=")
    assert answer["content"] == "one\ntwo\n"


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (codecs.BOM_UTF8 + "ä".encode(), "ä"),
        ("ä\n😀".encode("utf-16"), "ä\n😀"),
        ("ä\n😀".encode("utf-32-be"), None),
        ("Grüße, 5 €".encode("cp1252"), "Grüße, 5 €"),
        (b"", ""),
    ],
)
async def test_a_text_is_read_whatever_its_encoding(
    client: Client, tmp_path: Path, data: bytes, content: str | None
) -> None:
    (tmp_path / "text").write_bytes(data)
    if content is None:
        await read(client, tmp_path / "text", 415)
    else:
        assert (await read(client, tmp_path / "text"))["content"] == content


async def test_a_picture_is_read_as_it_is_and_a_drawing_as_text(client: Client, tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    (tmp_path / "a.png").write_bytes(picture)
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path / "a.bin").write_bytes(picture)
    async with client.request("GET", "/files/read", params={"path": str(tmp_path / "a.png")}) as response:
        assert (response.status, response.content_type) == (200, "image/png")
        assert await response.read() == picture
    assert (await read(client, tmp_path / "a.svg"))["content"] == "<svg/>"
    assert "16 bytes" in (await read(client, tmp_path / "a.bin", 415))["detail"]


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("strict"), TERMINAL_SERVER_READ_LIMIT_BYTES="1000") as server:
        yield server


async def test_what_is_too_large_for_an_answer_is_refused_and_never_cut(
    strict_server: Server, tmp_path: Path
) -> None:
    (tmp_path / "large").write_text("0123456789\n" * 100)
    async with connected(strict_server) as client:
        assert "start_line" in (await read(client, tmp_path / "large", 413))["detail"]
        assert "start_line" in (await read(client, tmp_path / "large", 413, end_line=95))["detail"]
        answer = await read(client, tmp_path / "large", start_line=50, end_line=51)
        assert (answer["content"], answer["total_lines"]) == ("0123456789\n" * 2, 100)
        wanted = {"path": str(tmp_path / "large"), "replacements": [{"target": "0", "replacement": "1"}]}
        await client.json("POST", "/files/replace", 413, json=wanted)


async def test_lines_of_a_gigabyte_are_read_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"first\n")
        block = b"x" * 1023 + b"\n"
        for _ in range(256):
            file.write(block * 1024)
        file.write(b"last\n")
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            answer = await read(client, tmp_path / "huge", start_line=262_146, end_line=262_146)
            assert (answer["content"], answer["total_lines"]) == ("last\n", 262_146)
            await read(client, tmp_path / "huge", 413)
        assert server.memory_peak() < 90e6


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("fifo", 400),
        ("A folder", 400),
        ("missing", 404),
        ("b.txt/x", 409),
        ("loop", 400),
        ("socket", 400),
        ("/dev/zero", 400),
        ("/proc/cpuinfo", 400),
        ("/proc/self/maps", 400),
        ("x" * 256, 400),
        ("x/" * 3000, 400),
        ("a\0b", 422),
    ],
)
@pytest.mark.parametrize("call", ["read", "view"])
async def test_only_ordinary_files_can_be_read_and_nothing_hangs(
    client: Client, folder: Path, call: str, path: str, status: int
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        where = quote(path if path.startswith("/") else f"{folder}/{path}")
        expected = 409 if (path, call) == ("A folder", "view") else status
        await client.json("GET", f"/files/{call}?path={where}", expected)


@pytest.mark.parametrize("path", ["", "null", "%00", "%ED%A0%80"])
async def test_a_path_that_cannot_be_one_is_refused(client: Client, path: str) -> None:
    for call in ("read", "display", "view"):
        async with client.request("GET", f"/files/{call}?path={path}") as response:
            assert response.status in {404, 422} or (call == "display" and response.status == 200)


async def test_half_a_surrogate_pair_in_a_body_is_refused(client: Client) -> None:
    for call, body in (
        ("write", b'{"path": "a\\ud800", "content": ""}'),
        ("write", b'{"path": "a", "content": "\\ud800"}'),
        ("mkdir", b'{"path": "\\udfff"}'),
        ("cwd", b'{"path": "\\udfff"}'),
        ("archive", b'{"paths": ["\\udfff"]}'),
    ):
        await client.json("POST", f"/files/{call}", 422, data=body)


async def test_a_file_to_be_shown_is_looked_for_and_not_read(client: Client, folder: Path) -> None:
    for name, exists in (
        ("b.txt", True),
        ("missing", False),
        ("A folder", False),
        ("fifo", False),
        ("x" * 300, False),
    ):
        answer = await client.json("GET", "/files/display", params={"path": str(folder / name)})
        assert answer == {"path": str(folder / name), "exists": exists}


async def test_each_chat_has_a_working_directory_of_its_own(client: Client, folder: Path) -> None:
    home = str(client.server.home)
    chat, other = {"X-Session-Id": "a chat"}, {"X-Session-Id": "another"}
    root = {"path": home, "label": "Home"}
    assert await client.json("GET", "/files/cwd", headers=chat) == {"cwd": home, "home": home, "root": root}
    answer = await client.json("POST", "/files/cwd", json={"path": str(folder)}, headers=chat)
    assert answer == {"cwd": str(folder)}
    await client.json("POST", "/files/cwd", json={"path": "A folder"}, headers=chat)
    await client.json("POST", "/files/cwd", json={"path": ".."}, headers=chat)
    assert (await client.json("GET", "/files/cwd", headers=chat))["cwd"] == str(folder)
    assert (await client.json("GET", "/files/cwd", headers=other))["cwd"] == home
    reading: dict[str, Any] = {"params": {"path": "b.txt"}}
    assert (await client.json("GET", "/files/read", headers=chat, **reading))["total_lines"] == 2
    await client.json("GET", "/files/read", 404, headers=other, **reading)
    listed = await client.json("GET", "/files/list", headers=chat)
    assert listed["dir"] == str(folder)


async def test_a_working_directory_must_be_a_folder_and_one_that_is_removed_is_home(
    client: Client, folder: Path
) -> None:
    chat = {"X-Session-Id": "gone"}
    for name, status in (("missing", 404), ("b.txt", 404), ("loop", 404), ("fifo", 404)):
        await client.json("POST", "/files/cwd", status, json={"path": str(folder / name)}, headers=chat)
    await client.json("POST", "/files/cwd", json={"path": str(folder / "A folder")}, headers=chat)
    (folder / "A folder").rmdir()
    assert (await client.json("GET", "/files/cwd", headers=chat))["cwd"] == str(client.server.home)


@pytest.mark.parametrize(
    ("setting", "root"),
    [("filesystem", None), ("~/work", ("work", "work")), ("{{home}}/x", ("x", "x")), ("/", ("/", "/"))],
)
async def test_file_browsers_begin_where_it_is_set(
    tmp_path: Path, setting: str, root: tuple[str, str] | None
) -> None:
    with running(tmp_path, OPEN_TERMINAL_FILE_BROWSER_ROOT=setting) as server:
        async with connected(server) as client:
            answer = await client.json("GET", "/files/cwd")
        expected = root and {"path": str(server.home / root[0]), "label": root[1]}
        assert answer.get("root") == expected


async def test_sessions_can_begin_elsewhere_than_at_home(tmp_path: Path) -> None:
    place = tmp_path / "project"
    place.mkdir()
    with running(tmp_path, "--cwd", "project") as server:
        async with connected(server) as client:
            answer = await client.json("GET", "/files/cwd")
            root = {"path": str(place), "label": "Home"}
            assert answer == {"cwd": str(place), "home": str(place), "root": root}
            await client.json("POST", "/files/write", json={"path": "here", "content": "x"})
            assert names(place) == ["here"]
            assert (await client.execute("echo $PWD $HOME ~"))["stdout"].split() == [
                str(place),
                str(server.home),
                str(server.home),
            ]
            document = await client.json("GET", "/openapi.json")
            assert f"working directory is {place}." in document["paths"]["/execute"]["post"]["description"]


async def test_a_stranger_sees_nothing(server: Server, stranger: Client) -> None:
    for path in (
        "/files/list",
        "/files/read?path=x",
        "/files/view?path=x",
        "/files/serve/etc/hostname",
        "/files/display?path=x",
        "/files/cwd",
    ):
        await stranger.json("GET", path, 401)
    for path in ("write", "replace", "mkdir", "move", "archive", "compare", "cwd", "tus"):
        await stranger.json("POST", f"/files/{path}", 401, json={"path": "stranger", "content": "x"})
    assert not (server.home / "stranger").exists()
