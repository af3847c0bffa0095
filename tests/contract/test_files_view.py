"""Files as they are: views, previews, and pages that must never run where the key is."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from localcluster.hosttools import BROWSERS

from tests.contract import documents
from tests.contract.running import Client, connected, running, until

SANDBOX = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads"


async def view(client: Client, path: Path, **headers: str) -> tuple[int, bytes, Any]:
    options = {"params": {"path": str(path)}, "headers": headers}
    async with client.request("GET", "/files/view", **options) as response:
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.pdf", "application/pdf"),
        ("a.unknown", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
        ("none", "application/octet-stream"),
    ],
)
async def test_a_file_is_sent_as_what_its_name_says(
    client: Client, tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).write_bytes(b"0123456789")
    status, content, headers = await view(client, tmp_path / name)
    assert (status, content, headers["Content-Type"]) == (200, b"0123456789", kind)
    assert headers["Content-Length"] == "10"
    assert headers["Content-Disposition"] == f'inline; filename="{name}"'


async def test_a_name_of_any_letters_is_told(client: Client, tmp_path: Path) -> None:
    name = 'ä "b"\n€.txt'
    (tmp_path / name).write_text("x")
    _, _, headers = await view(client, tmp_path / name)
    assert headers["Content-Disposition"].endswith(f"; filename*=utf-8''{quote(name, safe='')}")


async def test_a_file_that_has_not_changed_is_not_sent_again(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("0123456789")
    _, _, headers = await view(client, tmp_path / "file")
    tag, modified = headers["ETag"], headers["Last-Modified"]
    for condition in (tag, f'"x", W/{tag}', "*"):
        assert (await view(client, tmp_path / "file", **{"If-None-Match": condition}))[:2] == (304, b"")
    assert (await view(client, tmp_path / "file", **{"If-Modified-Since": modified}))[0] == 304
    ranged = {"Range": "bytes=2-3", "If-Range": tag}
    assert (await view(client, tmp_path / "file", **ranged))[:2] == (206, b"23")
    (tmp_path / "file").write_text("abcdefghij")
    assert (await view(client, tmp_path / "file", **{"If-None-Match": tag}))[:2] == (200, b"abcdefghij")
    assert (await view(client, tmp_path / "file", **ranged))[:2] == (200, b"abcdefghij")


async def test_a_date_is_not_enough_to_go_on_with_a_file(client: Client, tmp_path: Path) -> None:
    """It has seconds, and a file may change twice in one."""
    (tmp_path / "file").write_text("0123456789")
    _, _, headers = await view(client, tmp_path / "file")
    first = (tmp_path / "file").stat()
    (tmp_path / "file").write_text("abcdefghij")
    os.utime(tmp_path / "file", ns=(first.st_atime_ns, first.st_mtime_ns // 10**9 * 10**9))
    ranged = {"Range": "bytes=2-3", "If-Range": headers["Last-Modified"]}
    assert (await view(client, tmp_path / "file", **ranged))[:2] == (200, b"abcdefghij")


async def test_a_part_of_a_file_can_be_asked_for(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("0123456789")
    status, content, headers = await view(client, tmp_path / "file", Range="bytes=-3")
    assert (status, content, headers["Content-Range"]) == (206, b"789", "bytes 7-9/10")
    status, _, headers = await view(client, tmp_path / "file", Range="bytes=10-")
    assert (status, headers["Content-Range"]) == (416, "bytes */10")
    options = {"params": {"path": str(tmp_path / "file")}, "headers": {"Range": "bytes=0-1"}}
    async with client.request("HEAD", "/files/view", **options) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, "10")


async def test_a_file_that_becomes_shorter_is_never_taken_for_whole(client: Client, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(300_000_000)
    async with client.request("GET", "/files/view", params={"path": str(tmp_path / "file")}) as response:
        os.truncate(tmp_path / "file", 1_000_000)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_what_a_user_made_is_sent_with_headers_that_keep_it_in_its_place(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("<script>alert(1)</script>")
    for path in (f"/files/serve{tmp_path}/page.html", f"/files/view?path={tmp_path}/page.html"):
        async with client.request("GET", path) as response:
            assert response.status == 200
            assert response.headers["Content-Security-Policy"] == SANDBOX
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    await client.json("GET", f"/files/serve{tmp_path}/missing", 404)
    await client.json("GET", f"/files/serve{tmp_path}", 409)
    await client.json("GET", "/files/serve/", 409)


PAGE = """<!doctype html><link rel="stylesheet" href="style.css"><body>
<script src="script.js"></script><script>
const told = [window.loaded, origin, getComputedStyle(document.body).color];
try { told.push(localStorage.length); } catch (error) { told.push(error.name); }
try { told.push(document.cookie); } catch (error) { told.push(error.name); }
try { told.push(parent.secret); } catch (error) { told.push(error.name); }
const call = (how) => fetch("/files/list", how).then(() => "answered", () => "refused");
Promise.all([call({}), call({credentials: "include"})]).then((answers) => {
  top.postMessage(JSON.stringify([...told, ...answers]), "*");
});
</script>"""
FRAME = """<!doctype html><script>
window.secret = "the key"; document.cookie = "session=secret"; localStorage.setItem("key", "secret");
addEventListener("message", (event) => fetch("/told", {method: "POST", body: event.data}));
</script><body><iframe src="/files/serve{path}"></iframe>"""


async def test_a_page_a_user_made_runs_in_a_browser_without_reaching_the_origin_that_shows_it(
    client: Client, tmp_path: Path
) -> None:
    """The origin is a proxy that adds the key, as Open WebUI's is; it shows the page in a frame."""
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "script.js").write_text("window.loaded = 'script ran';")
    (tmp_path / "style.css").write_text("body { color: rgb(1, 2, 3); }")

    told: list[list[str]] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/told":
            told.append(json.loads(await request.text()))
            return web.Response()
        if request.path == "/":
            page = FRAME.replace("{path}", f"{tmp_path}/page.html")
            return web.Response(text=page, content_type="text/html")
        async with client.request("GET", request.path_qs) as response:
            kept = ("Content-Type", "Content-Security-Policy", "X-Content-Type-Options")
            headers = {name: response.headers[name] for name in kept if name in response.headers}
            return web.Response(body=await response.read(), status=response.status, headers=headers)

    proxy = web.ServerRunner(web.Server(answer))
    await proxy.setup()
    await web.TCPSite(proxy, "127.0.0.1", 0).start()
    try:
        with browser(f"http://127.0.0.1:{proxy.addresses[0][1]}/", tmp_path / "profile"):
            await until(lambda: told, "the page told what it could do")
    finally:
        await proxy.cleanup()
    error = "SecurityError"
    assert told == [["script ran", "null", "rgb(1, 2, 3)", error, error, error, "refused", "refused"]]


@contextlib.contextmanager
def browser(url: str, profile: Path) -> Iterator[None]:
    """A browser that shows a page, and is ended afterwards."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, "`make setup-tests` installs Chromium"
    # It is to call nobody else.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [program, *options, f"--user-data-dir={profile}", url]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


LIBREOFFICE = """#!/bin/sh
for word; do last=$word; if [ "$before" = --outdir ]; then folder=$word; fi; before=$word; done
name=$(basename "$last"); printf '%%PDF-preview' > "$folder/${name%.*}.pdf"
"""


async def test_a_preview_is_a_pdf_where_libreoffice_is_installed_and_the_file_where_not(
    tmp_path: Path,
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "soffice").write_text(LIBREOFFICE)
    (programs / "soffice").chmod(0o755)
    (tmp_path / "a b.docx").write_bytes(documents.docx())
    wanted = {"path": str(tmp_path / "a b.docx"), "preview": "true"}
    with running(tmp_path / "1", PATH=f"{programs}:/usr/bin:/bin") as server:
        async with connected(server) as client:
            async with client.request("GET", "/files/view", params=wanted) as response:
                assert (response.status, response.content_type) == (200, "application/pdf")
                assert await response.read() == b"%PDF-preview"
            assert not list((server.home / ".cache" / "terminal-server").glob("preview-*"))
    (programs / "soffice").write_text("#!/bin/sh\nexit 1\n")
    with running(tmp_path / "2", PATH=f"{programs}:/usr/bin:/bin") as server:
        async with (
            connected(server) as client,
            client.request("GET", "/files/view", params=wanted) as response,
        ):
            assert response.status == 200
            assert await response.read() == (tmp_path / "a b.docx").read_bytes()
