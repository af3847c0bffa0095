"""Links: five minutes, no key."""

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.contract.running import Client, connected, running


@pytest.fixture
async def download_url(client: Client) -> str:
    await client.upload(b"0123456789", "ten.html", "links")
    link = await client.json("GET", "/files/download/link?path=links/ten.html")
    return str(link["url"])


async def test_a_download_link_works_without_a_key_and_more_than_once(
    stranger: Client, download_url: str
) -> None:
    for _ in range(2):
        async with stranger.session.get(download_url) as response:
            assert response.status == 200
            assert await response.read() == b"0123456789"


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=0-100", 206, b"0123456789"),
        ("bytes=20-30", 416, None),
        ("bytes=x", 400, None),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
async def test_a_range_of_a_download_can_be_asked_for(
    stranger: Client, download_url: str, wanted: str, status: int, content: bytes | None
) -> None:
    async with stranger.session.get(download_url, headers={"Range": wanted}) as response:
        assert response.status == status
        assert content is None or await response.read() == content


async def test_a_download_can_be_resumed_only_while_it_is_the_same_file(
    client: Client, stranger: Client, download_url: str
) -> None:
    async with stranger.session.head(download_url) as response:
        etag = response.headers["ETag"]
        assert response.headers["Content-Length"] == "10"
    headers = {"Range": "bytes=5-", "If-Range": etag}
    async with stranger.session.get(download_url, headers=headers) as response:
        assert (response.status, await response.read()) == (206, b"56789")
    await client.upload(b"other", "ten.html", "links")
    async with stranger.session.get(download_url, headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"other")


async def test_what_a_user_made_never_runs_in_the_servers_origin(stranger: Client, download_url: str) -> None:
    async with stranger.session.get(download_url) as response:
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_an_upload_link_shows_a_page_that_loads_nothing_from_elsewhere(
    client: Client, stranger: Client
) -> None:
    link = await client.json("POST", "/files/upload/link?dir=dropped")
    async with stranger.session.get(link["url"]) as response:
        page = await response.text()
        assert response.status == 200
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
    assert '<input type="file" name="file"' in page
    assert "default-src 'none'" in policy
    assert not re.search(r"(src|href)=|https?:", page)
    assert all(nonce in policy for nonce in re.findall(r'nonce="([^"]+)"', page))


async def test_an_upload_link_takes_a_file_without_a_key(client: Client, stranger: Client) -> None:
    link = await client.json("POST", "/files/upload/link?dir=dropped")
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", b"content", filename="../../x.txt")
    async with stranger.session.post(link["url"], data=form) as response:
        assert response.status == 200
        assert await response.json() == {"path": str(client.server.home / "dropped/x.txt"), "size": 7}
    assert (client.server.home / "dropped/x.txt").read_text() == "content"


@pytest.mark.parametrize("change", ["last", "first", "cut", "empty", "made up", "not ascii"])
async def test_a_link_cannot_be_guessed_or_changed(stranger: Client, download_url: str, change: str) -> None:
    base, token = download_url.rsplit("/", 1)
    changed = {
        "last": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        "first": ("B" if token[0] == "A" else "A") + token[1:],
        "cut": token.partition(".")[0],
        "empty": ".",
        "made up": "0123456789abcdef",
        "not ascii": "ä.ö",
    }[change]
    for method, kind in (("GET", "download"), ("GET", "upload"), ("POST", "upload")):
        url = f"{base.replace('download', kind)}/{changed}"
        async with stranger.session.request(method, url) as response:
            assert response.status == 404


async def test_a_link_is_good_for_one_thing_only(stranger: Client, client: Client, download_url: str) -> None:
    async with stranger.session.get(download_url.replace("download", "upload")) as response:
        assert response.status == 404
    link = await client.json("POST", "/files/upload/link?dir=dropped")
    async with stranger.session.get(link["url"].replace("upload", "download")) as response:
        assert response.status == 404


async def test_a_link_in_use_is_not_shown_to_who_asks_what_keeps_the_terminal_awake(
    client: Client, tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(300_000_000)
    link = await client.json("GET", "/files/download/link", params={"path": str(tmp_path / "large")})
    path = link["url"].removeprefix(f"http://localhost:{client.server.port}")
    async with client.request("GET", path, headers={"Authorization": ""}) as response:
        assert response.status == 200
        reasons = (await client.json("GET", "/activity"))["reasons"]
    assert "GET /files/download/***" in reasons


async def test_making_a_link_needs_the_key(stranger: Client) -> None:
    await stranger.json("GET", "/files/download/link?path=/etc/hostname", 401)
    await stranger.json("POST", "/files/upload/link?dir=x", 401)


@pytest.mark.parametrize("end", ["%0A", "%0D%0A", "%0A%0A", "%20", "%00", "%2F", "/", "%C2%85", ";", "?"])
async def test_making_a_link_needs_the_key_however_its_path_is_written(stranger: Client, end: str) -> None:
    for method, path in (("GET", "download"), ("POST", "upload")):
        url = f"{stranger.server.url}/files/{path}/link{end}?path=/etc/hostname&dir=x"
        async with stranger.session.request(method, URL(url, encoded=True)) as response:
            assert response.status in {401, 404}, await response.text()


async def test_the_host_header_never_chooses_where_a_link_leads(client: Client) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    link = await client.json("POST", "/files/upload/link?dir=x", headers=headers)
    assert link["url"].startswith(f"http://localhost:{client.server.port}/files/upload/")
    link = await client.json("GET", "/files/download/link?path=/etc/hostname", headers=headers)
    assert link["url"].startswith(f"http://localhost:{client.server.port}/files/download/")


async def test_links_and_calls_work_below_the_path_of_the_public_url(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_PUBLIC_URL="https://terminals.example/t/team-a/ada/") as server:
        async with connected(server) as client:
            link = await client.json("POST", "/t/team-a/ada/files/upload/link?dir=x")
            base = "https://terminals.example/t/team-a/ada"
            assert link["url"].startswith(f"{base}/files/upload/")
            path = link["url"].removeprefix("https://terminals.example")
            for way in (path, path.removeprefix("/t/team-a/ada")):
                async with client.request("GET", way, headers={"Authorization": ""}) as response:
                    assert response.status == 200
            assert (await client.json("GET", "/t/team-a/ada/openapi.json"))["servers"] == [{"url": base}]
            assert await client.json("GET", "/t/team-a/ada/health") == {"status": "ok"}
            assert await client.json("GET", "/health") == {"status": "ok"}
            await client.json("GET", "/t/team-a/adam/health", 404)
            await client.json("GET", "/t/team-b/ada/health", 404)
            answer = await client.json("POST", "/t/team-a/ada/execute", json={"command": "echo hi"})
            assert answer["stdout"] == "hi\n"
