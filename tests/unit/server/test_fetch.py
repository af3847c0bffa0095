"""Fetching by URL: what is checked, and when.

A real server on loopback, with a check that lets exactly that address through: that is all that differs from
the real thing.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from terminal_server.files.fetch import Fetcher, FetchError, name_in

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers on 127.0.0.1; returns their ports."""
    runners: list[web.ServerRunner] = []

    async def start(handler: Handler) -> int:
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    yield start
    for runner in runners:
        await runner.cleanup()


def _only_first_loopback(address: str) -> bool:
    return address == "127.0.0.1"


async def _get(fetcher: Fetcher, url: str) -> bytes:
    async with fetcher.open(url) as download:
        return b"".join([chunk async for chunk in download.content()])


def _fetcher(limit_bytes: int = 1000, timeout_seconds: float = 10) -> Fetcher:
    return Fetcher(limit_bytes, timeout_seconds, may_connect=_only_first_loopback)


async def _hello(_request: web.BaseRequest) -> web.Response:
    return web.Response(body=b"hello")


async def test_a_file_is_fetched(serve: Serve) -> None:
    port = await serve(_hello)
    assert await _get(_fetcher(), f"http://127.0.0.1:{port}/x") == b"hello"


async def test_a_name_is_looked_up_once_and_the_connection_goes_to_the_address_that_was_checked(
    serve: Serve,
) -> None:
    port = await serve(_hello)
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    fetcher = Fetcher(1000, 10, may_connect=_only_first_loopback, lookup=rebinding)
    assert await _get(fetcher, f"http://rebinding.example:{port}/x") == b"hello"
    assert asked == ["rebinding.example"]


@pytest.mark.parametrize("addresses", [["127.0.0.2"], ["127.0.0.1", "127.0.0.2"], ["::1"], []])
async def test_a_name_with_any_forbidden_address_is_not_connected_to(
    addresses: list[str], serve: Serve
) -> None:
    port = await serve(_hello)

    async def lookup(_host: str, _port: int) -> list[str]:
        return addresses

    fetcher = Fetcher(1000, 10, may_connect=_only_first_loopback, lookup=lookup)
    with pytest.raises(FetchError, match="Not a public address") as caught:
        await _get(fetcher, f"http://somewhere.example:{port}/x")
    assert caught.value.status == 400


async def test_a_name_that_does_not_exist_is_the_clients_error() -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(FetchError, match="No such host") as caught:
        await _get(Fetcher(1000, 10, lookup=lookup), "http://nowhere.example/x")
    assert caught.value.status == 400


async def test_redirects_are_followed(serve: Serve) -> None:
    async def hop(request: web.BaseRequest) -> web.Response:
        if request.path == "/end":
            return web.Response(body=b"hello")
        return web.Response(status=302, headers={"Location": "/end"})

    port = await serve(hop)
    assert await _get(_fetcher(), f"http://127.0.0.1:{port}/start") == b"hello"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{port}/",
        "http://[::1]:{port}/",
        "file:///etc/passwd",
        "//127.0.0.2:{port}/",
        "ftp://x/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(serve: Serve, location: str) -> None:
    async def hop(request: web.BaseRequest) -> web.Response:
        port = request.url.port
        return web.Response(status=307, headers={"Location": location.format(port=port)})

    port = await serve(hop)
    with pytest.raises(FetchError) as caught:
        await _get(_fetcher(), f"http://127.0.0.1:{port}/")
    assert caught.value.status == 400


async def test_a_circle_of_redirects_ends(serve: Serve) -> None:
    async def hop(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": str(request.path)})

    port = await serve(hop)
    with pytest.raises(FetchError, match="redirects too often"):
        await _get(_fetcher(), f"http://127.0.0.1:{port}/x")


async def test_a_file_larger_than_the_limit_is_refused(serve: Serve) -> None:
    port = await serve(_hello)
    with pytest.raises(FetchError, match="larger than 4 bytes") as caught:
        await _get(_fetcher(limit_bytes=4), f"http://127.0.0.1:{port}/x")
    assert caught.value.status == 413


async def test_a_server_that_never_answers_is_given_up(serve: Serve) -> None:
    async def hang(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await request.content.read()
        await asyncio.Event().wait()
        return response

    port = await serve(hang)
    with pytest.raises(FetchError) as caught:
        await _get(_fetcher(timeout_seconds=0.2), f"http://127.0.0.1:{port}/x")
    assert caught.value.status == 504


@pytest.mark.parametrize("status", [404, 500, 304])
async def test_an_error_of_the_other_server_is_not_stored_as_a_file(serve: Serve, status: int) -> None:
    async def refuse(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    port = await serve(refuse)
    with pytest.raises(FetchError, match=str(status)) as caught:
        await _get(_fetcher(), f"http://127.0.0.1:{port}/x")
    assert caught.value.status == 502


async def test_a_port_nobody_listens_on_is_an_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError) as caught:
            await _get(_fetcher(), f"http://127.0.0.1:{taken.getsockname()[1]}/x")
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://x/a/b.txt?c=d#e", "b.txt"),
        ("http://x/", "download"),
        ("http://x", "download"),
        ("http://x/a%20b", "a b"),
        ("http://x/..%2F..%2Fetc%2Fpasswd", "passwd"),
    ],
)
def test_a_file_is_called_what_the_url_calls_it(url: str, name: str) -> None:
    assert name_in(url) == name
