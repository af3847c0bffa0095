"""Paths that lead nowhere good, given to every call: always the client's error, and never a wait."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.running import WATCHED, Client, connected, running

PATHS = [
    "",
    "null",
    "\0",
    "a\0b",
    "\ud800",
    "fifo",
    "fifo/x",
    "socket",
    "loop",
    "loop/x",
    "broken/x",
    "file/x",
    "..",
    "../" * 100,
    "x" * 256,
    "ä" * 128,
    "x/" * 3000,
    "/dev/zero",
    "/dev/zero/x",
    "/proc/self/mem",
    "/proc/1/fd/0",
    "/proc/self/fd/" + "9" * 30,
    "/sys/kernel/x",
    "~nobody",
    "//",
    "\ufffd",
    "C:\\x",
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere/at/all")
    (tmp_path / "file").write_text("x")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        yield tmp_path


async def _status(client: Client, method: str, url: str, body: object = None) -> int:
    async with asyncio.timeout(10), client.request(method, url, json=body) as response:
        await response.read()
        return int(response.status)


@pytest.mark.parametrize("path", PATHS, ids=ascii)
async def test_no_call_about_files_fails_or_waits_for_any_path(
    client: Client, folder: Path, path: str
) -> None:
    chat = {"path": str(folder)}
    await client.json("POST", "/files/cwd", json=chat)
    try:
        quoted = quote(path, errors="surrogatepass")
        statuses = [
            await _status(client, "GET", f"/files/{call}={quoted}")
            for call in ("list?directory", "read?path", "display?path", "view?path", "download/link?path")
        ]
        statuses.append(await _status(client, "GET", f"/files/serve/{quoted}"))
        statuses.append(await _status(client, "POST", f"/files/upload/link?dir={quoted}"))
        for call, body in (
            ("cwd", {"path": path}),
            ("replace", {"path": path, "replacements": [{"target": "nowhere", "replacement": ""}]}),
            ("move", {"source": path, "destination": f"{folder}/new"}),
            ("move", {"source": f"{folder}/nothing", "destination": path}),
            ("compare", {"original": path, "revised": f"{folder}/file"}),
            ("compare", {"original": f"{folder}/file", "revised": path}),
        ):
            statuses.append(await _status(client, "POST", f"/files/{call}", body))
    finally:
        await client.json("POST", "/files/cwd", json={"path": str(client.server.home)})
    assert not [status for status in statuses if status >= 500], statuses


@pytest.mark.parametrize("path", [path for path in PATHS if path not in {"..", "../" * 100, "//"}], ids=ascii)
async def test_no_call_that_changes_files_fails_or_waits_for_any_path(
    client: Client, folder: Path, path: str
) -> None:
    where = path if path.startswith(("/", "~")) or not path else f"{folder}/{path}"
    quoted = quote(where, errors="surrogatepass")
    for call, body in (
        ("write", {"path": where, "content": "x"}),
        ("mkdir", {"path": where}),
        ("archive", {"paths": [where]} if not where.startswith("/") or "/dev/" in where else {"paths": []}),
    ):
        assert await _status(client, "POST", f"/files/{call}", body) < 500, call
    if not where.startswith(("/dev", "/proc", "/sys")):
        assert await _status(client, "DELETE", f"/files/delete?path={quoted}") < 500


async def test_uploads_given_up_in_the_middle_leave_nothing_unfinished(tmp_path: Path) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    with running(tmp_path, program=WATCHED) as server:
        async with connected(server) as client:
            for body in (b"no form", form, form + b"\r\n" + form):
                await client.json("POST", "/files/upload?dir=in", 400, data=body, headers=kind)
            await client.json("POST", "/files/upload?dir=/dev/null/x", 400, data=form, headers=kind)
            async with client.request("POST", "/files/tus", headers={"Upload-Length": "1"}) as response:
                place = f"/files/{response.headers['Location']}"
            await client.json("PATCH", place, 413, data=b"xx", headers=part)
