"""Files in and out, with a key."""

import asyncio
import hashlib
import io
import os
import socket
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web

from tests.contract.running import KEY, Client, Server, connected, names, running, until


async def test_an_upload_is_stored_and_tells_where(client: Client) -> None:
    answer = await client.upload(b"hello\0\xff", "a.bin", "some/new/folder")
    target = client.server.home / "some/new/folder/a.bin"
    assert answer == {"path": str(target), "size": 7}
    assert target.read_bytes() == b"hello\0\xff"


async def test_an_upload_to_an_absolute_folder_or_to_the_home_goes_there(
    client: Client, tmp_path: Path
) -> None:
    assert (await client.upload(b"1", "x", str(tmp_path)))["path"] == str(tmp_path / "x")
    assert (await client.upload(b"2", "x", "~"))["path"] == str(client.server.home / "x")
    assert (await client.upload(b"3", "x", "~/d/../e"))["path"] == str(client.server.home / "e" / "x")


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        ("C:\\Users\\me\\x.txt", "x.txt"),
        ("äöü €😀.txt", "äöü €😀.txt"),
        ("a b;c'd.txt", "a b;c'd.txt"),
        ("", "upload"),
        ("x/", "upload"),
    ],
)
async def test_an_upload_never_leaves_its_folder_whatever_it_is_called(
    client: Client, name: str, stored: str
) -> None:
    answer = await client.upload(b"x", name, "names")
    assert answer["path"] == str(client.server.home / "names" / stored)


@pytest.mark.parametrize("name", ["..", ".", "a/..", "x" * 256, "ä" * 128])
async def test_a_name_that_cannot_be_one_is_refused(client: Client, name: str) -> None:
    assert "detail" in await client.upload(b"x", name, "names", status=400)


@pytest.mark.parametrize("folder", ["%00", "a%00b"])
async def test_a_folder_that_cannot_be_one_is_refused(client: Client, folder: str) -> None:
    for path in ("/files/upload", "/files/upload/link"):
        await client.json("POST", f"{path}?dir={folder}", 422)
    await client.json("GET", f"/files/download/link?path={folder}", 422)


@pytest.mark.parametrize("query", ["?directory=", "?dir=", ""])
async def test_without_a_folder_an_upload_goes_to_the_working_directory(
    client: Client, stranger: Client, tmp_path: Path, query: str
) -> None:
    chat = {"X-Session-Id": f"upload {query}"}
    await client.json("POST", "/files/cwd", json={"path": str(tmp_path)}, headers=chat)
    link = (await client.json("POST", f"/files/upload/link{query}", headers=chat))["url"]
    for to, sender, url in (
        ("sent", client, f"{client.server.url}/files/upload{query}"),
        ("linked", stranger, link),
    ):
        form = aiohttp.FormData()
        form.add_field("file", b"x", filename=to)
        async with sender.session.post(url, data=form, headers=chat) as response:
            assert response.status == 200, await response.text()
    assert names(tmp_path) == ["linked", "sent"]


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null/x", "/" + "x" * 300, "/" + "x/" * 3000])
async def test_a_folder_that_cannot_be_made_is_the_clients_error(client: Client, folder: str) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", b"x", filename="x")
    url = f"/files/upload?dir={quote(folder)}"
    async with client.request("POST", url, data=form) as response:
        assert 400 <= response.status < 500


async def test_an_upload_replaces_a_file_at_once_and_keeps_its_mode(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "script"
    target.write_text("old")
    target.chmod(0o750)
    with target.open() as reader:
        await client.upload(b"new", "script", str(tmp_path))
        assert reader.read() == "old"
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o750


async def test_an_upload_onto_a_folder_is_refused_and_onto_a_fifo_does_not_hang(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    await client.upload(b"x", "folder", str(tmp_path), status=409)
    await client.upload(b"x", "fifo", str(tmp_path))
    assert (tmp_path / "fifo").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"garbage"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx',
        ),
        (
            "multipart/form-data; boundary=b",
            2 * b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx\r\n'
            + b"--b--\r\n",
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 100_000),
        ("application/json", b"{}"),
        ("text/plain", b""),
    ],
)
async def test_a_body_that_is_no_whole_upload_is_refused_and_leaves_nothing(
    client: Client, content_type: str, body: bytes, tmp_path: Path
) -> None:
    url = f"/files/upload?dir={tmp_path}"
    async with client.request("POST", url, data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == 400, await response.text()
    assert names(tmp_path) == []


async def test_an_upload_that_is_broken_off_leaves_nothing(client: Client, tmp_path: Path) -> None:
    head = (
        f"POST /files/upload?dir={tmp_path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", client.server.port)) as connection:
        connection.sendall(head.encode() + b"x" * 3_000_000)
        await until(lambda: names(tmp_path), "the upload began")
        assert not (tmp_path / "x").exists()
    await until(lambda: not names(tmp_path), "the unfinished file was removed")


async def test_a_large_upload_and_download_use_little_memory(tmp_path: Path) -> None:
    size = 120_000_000
    source = tmp_path / "source"
    with source.open("wb") as file:
        digest = hashlib.sha256()
        for _ in range(120):
            block = os.urandom(1_000_000)
            file.write(block)
            digest.update(block)
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            with source.open("rb") as file:
                form = aiohttp.FormData(quote_fields=False)
                form.add_field("file", file, filename="large")
                answer = await client.json("POST", "/files/upload?dir=in", data=form)
            assert answer["size"] == size
            link = await client.json("GET", f"/files/download/link?path={answer['path']}")
            received = hashlib.sha256()
            async with client.session.get(link["url"]) as response:
                async for chunk in response.content.iter_chunked(1 << 20):
                    received.update(chunk)
        assert received.digest() == digest.digest()
        assert server.memory_peak() < 80e6


@pytest.mark.parametrize(
    "path", ["fifo", "folder", "missing", "loop", "socket", "/dev/zero", "/proc/kmsg", "/proc/self/maps"]
)
async def test_only_ordinary_files_can_be_downloaded_and_nothing_hangs(
    client: Client, path: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        begun = time.monotonic()
        async with client.request("GET", f"/files/download/link?path={tmp_path / path}") as response:
            assert 400 <= response.status < 500, await response.text()
    assert time.monotonic() - begun < 5


async def test_a_file_that_turns_into_a_fifo_after_its_link_was_made_does_not_hang(
    client: Client, tmp_path: Path
) -> None:
    target = tmp_path / "file"
    target.write_text("x")
    link = await client.json("GET", f"/files/download/link?path={target}")
    target.unlink()
    os.mkfifo(target)
    async with asyncio.timeout(5), client.session.get(link["url"]) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://127.1:{port}/x",
        "http://2130706433:{port}/x",
        "http://0.0.0.0:{port}/x",
        "http://0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://127.0.0.1:{port}/x",
        "//127.0.0.1/x",
        "http://",
        "not a url",
        "http://127.0.0.1:{port}\\@example.com/",
    ],
)
async def test_a_url_upload_reaches_nothing_but_the_internet(
    client: Client, url: str, tmp_path: Path
) -> None:
    reached: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        reached.append(request.path)
        return web.Response(text="secret")

    inner = web.ServerRunner(web.Server(answer))
    await inner.setup()
    await web.TCPSite(inner, "127.0.0.1", 0).start()
    try:
        port = inner.addresses[0][1]
        parameters = {"dir": str(tmp_path), "url": url.format(port=port)}
        await client.json("POST", "/files/upload", 400, params=parameters)
    finally:
        await inner.cleanup()
    assert reached == []
    assert names(tmp_path) == []


async def test_a_file_is_fetched_from_where_it_may_be(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": "http://127.0.0.2:1/"})
        return web.Response(body=b"x" * 1_000_000)

    inner = web.ServerRunner(web.Server(answer))
    await inner.setup()
    await web.TCPSite(inner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{inner.addresses[0][1]}"
    url = {"dir": "in", "url": f"{base}/folder/big%20file?a=b"}
    lenient = (str(Path(__file__).with_name("lenient.py")),)
    try:
        with running(tmp_path, program=lenient, TERMINAL_SERVER_FETCH_LIMIT_BYTES="1000000") as server:
            async with connected(server) as client:
                stored = server.home / "in" / "big file"
                answered = await client.json("POST", "/files/upload", params=url)
                assert answered == {"path": str(stored), "size": 1_000_000}
                assert stored.stat().st_size == 1_000_000
                await client.json("POST", "/files/upload", 400, params={"dir": "in", "url": f"{base}/moved"})
        with running(tmp_path / "2", program=lenient, TERMINAL_SERVER_FETCH_LIMIT_BYTES="999999") as server:
            async with connected(server) as client:
                await client.json("POST", "/files/upload", 413, params=url)
                assert names(server.home / "in") == []
    finally:
        await inner.cleanup()


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "server", wrap=("bash", "-c", 'ulimit -f 1000; exec "$@"', "bash")) as server:
        async with connected(server) as client:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("file", io.BytesIO(b"x" * 3_000_000), filename="x")
            async with client.request("POST", "/files/upload?dir=in", data=form) as response:
                assert response.status == 507, await response.text()
            assert names(server.home / "in") == []


async def test_a_stranger_cannot_upload_a_byte(server: Server, stranger: Client) -> None:
    await stranger.upload(b"x", "stranger", "strangers", status=401)
    assert not (server.home / "strangers").exists()
