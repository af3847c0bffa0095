"""The ports of programs in the terminal, and the way to them."""

import asyncio
import contextlib
import gzip
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.running import KEY, Client, Server, connected, free_port, running, running_like, until

_PROGRAM = Path(__file__).with_name("echoing.py")


async def _ports(client: Client) -> list[dict[str, Any]]:
    answer = await client.json("GET", "/ports")
    assert set(answer) == {"ports"}
    return list(answer["ports"])


async def _started(client: Client, port: int, host: str = "127.0.0.1") -> None:
    """Start the program in the terminal, as a user would, and wait for it."""
    words = [sys.executable, str(_PROGRAM), str(port), host]
    await client.execute(f"exec >/dev/null 2>&1; {shlex.join(words)} &")
    await _until_listed(client, port)


async def _until_listed(client: Client, port: int, *, listed: bool = True) -> None:
    async def is_so() -> bool:
        return (port in [one["port"] for one in await _ports(client)]) is listed

    await until(is_so, "the port is seen" if listed else "the port is not seen any more")


@pytest.fixture(scope="session")
def proxying(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose address users see has a path, and the port of a program in it."""
    with running(
        tmp_path_factory.mktemp("proxying"), TERMINAL_SERVER_PUBLIC_URL="http://terminal.example/t/me"
    ) as server:
        port = free_port()
        asyncio.run(_start(server, port))
        yield server, port


async def _start(server: Server, port: int) -> None:
    async with connected(server) as client:
        await _started(client, port)


class Proxy:
    """A client of the program."""

    def __init__(self, client: Client, port: int) -> None:
        self.client = client
        self.port = port
        self.path = f"/proxy/{port}"

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Ask the program; what comes back is not followed nor unpacked."""
        return self.client.request(method, self.path + path, allow_redirects=False, **options)

    async def echo(self, path: str = "/echo", **headers: str) -> dict[str, Any]:
        """Return what the program got."""
        async with self.request("GET", path, headers=headers) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())


@pytest.fixture
async def proxy(proxying: tuple[Server, int]) -> AsyncIterator[Proxy]:
    async with connected(proxying[0]) as client:
        yield Proxy(client, proxying[1])


async def test_the_ports_of_the_terminal_s_programs_are_listed_and_no_others(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as not_ours:
        found = await _ports(proxy.client)
        assert [one["port"] for one in found] == [proxy.port]
        assert set(found[0]) == {"port", "pid", "process"}
        assert found[0]["process"].startswith("python")
        assert found[0]["pid"] in running_like(
            shlex.join([sys.executable, str(_PROGRAM), str(proxy.port), "127.0.0.1"])
        )
        for port in (not_ours.getsockname()[1], proxy.client.server.port):
            answer = await proxy.client.json("GET", f"/proxy/{port}/", 404)
            assert answer == {"detail": f"No program of this terminal listens on port {port}"}


async def test_a_program_of_http_server_is_listed_even_as_an_orphan_that_left_its_session_and_gone_at_its_end(
    client: Client,
) -> None:
    port = free_port()
    (client.server.home / "index.txt").write_text("served")
    await client.execute(f"(setsid python3 -m http.server --bind 127.0.0.1 {port} >/dev/null 2>&1 &)")
    await _until_listed(client, port)
    async with client.request("GET", f"/proxy/{port}/index.txt") as response:
        assert await response.text() == "served"
    (one,) = [one for one in await _ports(client) if one["port"] == port]
    await client.execute(f"kill {one['pid']}")
    await _until_listed(client, port, listed=False)
    await client.json("GET", f"/proxy/{port}/index.txt", 404)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1"])  # noqa: S104 - as programs do
async def test_it_is_reached_on_whatever_address_it_listens(client: Client, host: str) -> None:
    port = free_port()
    await _started(client, port, host)
    found = [one for one in await _ports(client) if one["port"] == port]
    assert len(found) == 1
    async with client.request("GET", f"/proxy/{port}/") as response:
        assert response.status == 200
    await client.execute(f"kill {found[0]['pid']}")


async def test_a_port_that_got_another_owner_is_not_reached_any_more(client: Client) -> None:
    port = free_port()
    await _started(client, port)
    (one,) = [one for one in await _ports(client) if one["port"] == port]
    async with client.request("GET", f"/proxy/{port}/") as response:
        assert response.status == 200
    await client.execute(f"kill -9 {one['pid']}")
    others = socket.socket()
    others.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with others:

        def bound() -> bool:
            with contextlib.suppress(OSError):
                others.bind(("127.0.0.1", port))
                return True
            return False

        await until(bound, "the port was free")
        others.listen()
        others.setblocking(False)  # noqa: FBT003 - the standard library's signature
        await client.json("GET", f"/proxy/{port}/", 404)
        with pytest.raises(BlockingIOError):
            others.accept()


@pytest.mark.parametrize(
    "path",
    ["/proxy/", "/proxy/x/", "/proxy/0/", "/proxy/70000/", "/proxy/-1/", "/proxy/80%2F/", "/proxy/1 2/"],
)
async def test_what_is_no_port_is_404(client: Client, path: str) -> None:
    assert "detail" in await client.json("GET", path, 404)


async def test_without_a_key_no_program_is_asked(proxy: Proxy) -> None:
    async with connected(proxy.client.server, key=None) as stranger:
        async with stranger.request("GET", proxy.path + "/echo") as response:
            assert response.status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.session.ws_connect(stranger.server.url + proxy.path + "/socket")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
async def test_any_method_is_passed_on(proxy: Proxy, method: str) -> None:
    async with proxy.request(method, "/echo") as response:
        assert (await response.json())["method"] == method


async def test_a_head_has_no_body(proxy: Proxy) -> None:
    async with proxy.request("HEAD", "/large?size=65536") as response:
        assert response.headers["Content-Length"] == "65536"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a%2Fb%20c",
        "/%c3%a9/%FF",
        "//double//",
        "/a/../b/./c",
        "/a?",
        "/x;p=1?q=1&q=&r=%20+null&s",
        "/?a=null&b=",
    ],
)
async def test_the_path_and_the_query_arrive_as_they_were_sent(proxy: Proxy, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.client.server.port)
    head = f"GET {proxy.path}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert f'"path": "{path.removesuffix("?")}"'.encode() in answer


async def test_the_path_without_the_public_prefix_is_the_program_s_with_it_too(proxy: Proxy) -> None:
    async with proxy.client.request("GET", f"/t/me{proxy.path}/echo") as response:
        assert (await response.json())["path"] == "/echo"


async def test_the_program_gets_no_key_and_no_cookie_and_learns_where_it_is(proxy: Proxy) -> None:
    got = await proxy.echo(
        **{"Cookie": "session=secret", "X-Own": "1", "X-Forwarded-For": "1.2.3.4", "Accept": "x/y"}
    )
    headers = {name.lower(): value for name, value in got["headers"]}
    assert KEY not in str(got)
    assert "secret" not in str(got)
    assert len(headers) == len(got["headers"])
    expected = {
        "host": f"localhost:{proxy.port}",
        "x-own": "1",
        "accept": "x/y",
        "x-forwarded-for": "1.2.3.4, 127.0.0.1",
        "x-forwarded-host": f"127.0.0.1:{proxy.client.server.port}",
        "x-forwarded-proto": "http",
        "x-forwarded-prefix": f"/t/me/proxy/{proxy.port}",
    }
    assert expected.items() <= headers.items()


async def test_headers_of_one_hop_go_no_further(proxy: Proxy) -> None:
    got = await proxy.echo(
        **{"Connection": "X-Mine", "X-Mine": "1", "TE": "trailers", "Keep-Alive": "1", "X-Own": "1"}
    )
    names = {name.lower() for name, _ in got["headers"]}
    assert "x-own" in names
    assert not names & {"x-mine", "te", "keep-alive"}


async def test_what_a_program_sends_is_shown_in_a_sandbox_and_nothing_of_it_holds_for_the_origin(
    proxy: Proxy,
) -> None:
    async with proxy.request("GET", "/risky") as response:
        policies = response.headers.getall("Content-Security-Policy")
        assert policies[0] == "img-src 'none'"
        directives = policies[1].split()
        assert directives[0] == "sandbox"
        assert "allow-scripts" in directives
        assert "allow-same-origin" not in directives
        assert response.headers["ETag"] == '"kept"'
        assert response.headers["X-Kept"] == "café"
        assert len(response.headers.getall("Date")) == 1
        names = {name.lower() for name in response.headers}
        assert not {name for name in names if name.startswith("access-control-")}
        assert not names & {
            "set-cookie", "clear-site-data", "service-worker-allowed", "strict-transport-security", "alt-svc", "nel",
            "report-to", "www-authenticate", "x-accel-redirect", "keep-alive", "x-hop",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "to", "leads"),
    [
        ("/redirect", "/login?next=/x#y", "./login?next=/x#y"),
        ("/a/b/redirect", "/login", "../../login"),
        ("/a/b/redirect", "next", "next"),
        ("/redirect", "http://localhost:PORT/login", "./login"),
        ("/redirect", "http://127.0.0.1:PORT", "./"),
        ("/redirect", "//localhost:PORT/x", "./x"),
        ("/redirect", "http://localhost:1/login", "http://localhost:1/login"),
        ("/redirect", "https://example.org/login", "https://example.org/login"),
        ("/redirect", "//example.org/login", "//example.org/login"),
        ("/redirect", "/javascript:alert(1)", "./javascript:alert(1)"),
        ("/redirect", "http://[", "http://["),
    ],
)
async def test_a_redirection_is_passed_on_and_leads_to_the_program_behind_any_prefix(
    proxy: Proxy, asked: str, to: str, leads: str
) -> None:
    to = to.replace("PORT", str(proxy.port))
    async with proxy.request("GET", asked, params={"to": to}) as response:
        assert response.status == 302
        assert response.headers["Location"] == leads


async def test_packed_content_stays_packed(proxy: Proxy) -> None:
    async with (
        aiohttp.ClientSession(auto_decompress=False, headers={"Authorization": f"Bearer {KEY}"}) as session,
        session.get(proxy.client.server.url + proxy.path + "/packed") as response,
    ):
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await response.read()) == b"packed"


async def test_both_directions_are_streamed_at_the_same_time(proxy: Proxy) -> None:
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        while (piece := await pieces.get()) is not None:
            yield piece

    async with asyncio.timeout(20):
        await pieces.put(b"one")
        async with proxy.request("POST", "/talk", data=body()) as response:
            assert await response.content.readany() == b"ONE"
            await pieces.put(b"two")
            assert await response.content.readany() == b"TWO"
            await pieces.put(None)
            assert await response.read() == b""


async def test_large_bodies_pass_in_little_memory(proxy: Proxy) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 100_000

    await proxy.echo()
    before = proxy.client.server.memory_peak()
    async with proxy.request("POST", "/echo", data=body()) as response:
        assert (await response.json())["size"] == 10**8
    async with proxy.request(
        "POST", "/echo", data=body(), headers={"Content-Length": "100000000"}
    ) as response:
        got = await response.json()
        assert got["size"] == 10**8
        assert ["Content-Length", "100000000"] in got["headers"]
    size = 0
    async with proxy.request("GET", f"/large?size={2**27}") as response:
        async for chunk in response.content.iter_any():
            size += len(chunk)
    assert size == 2**27
    assert proxy.client.server.memory_peak() - before < 20 * 2**20


async def test_a_client_that_does_not_read_holds_up_the_program_and_fills_no_memory(proxy: Proxy) -> None:
    before = proxy.client.server.memory_peak()
    async with proxy.request("GET", f"/large?size={2**30}"):
        for _ in range(10):
            await asyncio.sleep(0.05)
            await proxy.client.json("GET", "/health")
        assert proxy.client.server.memory_peak() - before < 20 * 2**20


async def test_events_come_one_by_one_and_end_when_the_client_leaves(proxy: Proxy) -> None:
    async with proxy.request("GET", "/events") as response:
        assert response.content_type == "text/event-stream"
        for _ in range(3):
            assert await response.content.readline() == b"data: tick\n"
            assert await response.content.readline() == b"\n"
        response.close()
    await _until_left(proxy, "events")


async def test_events_end_when_the_client_leaves_though_the_program_does_not_read_what_it_sends(
    proxy: Proxy,
) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for taken in range(1000):  # noqa: B007
            yield b"x" * 30_000

    async with proxy.request("POST", "/events?unread", data=body()) as response:
        before = -1
        while taken != before:
            before = taken
            for _ in range(10):
                assert await response.content.readline() == b"data: tick\n"
                assert await response.content.readline() == b"\n"
        # Closing would wait until all is sent.
        response.connection.transport.abort()
    await _until_left(proxy, "events?unread")

    async def is_over() -> bool:
        answer = await proxy.client.json("GET", "/activity")
        return not any(reason.startswith(f"POST {proxy.path}") for reason in answer["reasons"])

    await until(is_over, "the request was over")


async def _until_left(proxy: Proxy, what: object) -> None:
    async def has_left() -> bool:
        async with proxy.request("GET", "/left") as response:
            return what in await response.json()

    await until(has_left, "the program noticed that its client had gone")


@pytest.mark.parametrize("query", ["", "?length"])
async def test_an_answer_that_breaks_off_is_broken_off(proxy: Proxy, query: str) -> None:
    async with proxy.request("GET", f"/broken{query}") as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_what_speaks_no_http_is_502(client: Client) -> None:
    port = free_port()
    script = (
        f"import socket\ns=socket.create_server(('127.0.0.1',{port}))\nwhile 1:\n c=s.accept()[0]\n c.recv(9)\n"
        " c.sendall(b'SSH-2.0-x\\\\r\\\\n')\n c.close()"
    )
    await client.execute(f'exec >/dev/null 2>&1; python3 -c "{script}" &')
    await _until_listed(client, port)
    answer = await client.json("GET", f"/proxy/{port}/", 502)
    assert answer == {"detail": f"The program on port {port} gave no HTTP answer"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.session.ws_connect(f"{client.server.url}/proxy/{port}/")
    assert refused.value.status == 502
    await client.execute(f"kill {next(one['pid'] for one in await _ports(client) if one['port'] == port)}")


@pytest.mark.parametrize("status", [101, 600, 999])
async def test_a_status_that_is_no_answer_to_a_request_is_502(proxy: Proxy, status: int) -> None:
    answer = await proxy.client.json("GET", f"{proxy.path}/status?status={status}", 502)
    assert answer == {"detail": f"The program on port {proxy.port} answered with status {status}"}


def _connection(proxy: Proxy, path: str = "/socket", **options: Any) -> Any:
    return proxy.client.session.ws_connect(
        proxy.client.server.url + proxy.path + path, max_msg_size=0, **options
    )


async def test_messages_of_a_websocket_pass_both_ways_as_they_are(proxy: Proxy) -> None:
    async with _connection(proxy) as connection:
        for text in ("hello", "", "é" * 100_000):
            await connection.send_str(text)
            assert await connection.receive_str(timeout=20) == text
        for data in (b"\x00\xff", b"", b"x" * 2**20):
            await connection.send_bytes(data)
            assert await connection.receive_bytes(timeout=20) == data


async def test_a_websocket_s_path_headers_and_subprotocol_pass_and_the_key_does_not(proxy: Proxy) -> None:
    async with _connection(
        proxy,
        "/socket?a=%20b",
        protocols=["zero", "one"],
        headers={"Origin": "http://x", "Cookie": "c=secret"},
    ) as connection:
        assert connection.protocol == "one"
        await connection.send_str("headers")
        path, *headers = await connection.receive_json(timeout=20)
        assert path == "/socket?a=%20b"
        assert ["Host", f"localhost:{proxy.port}"] in headers
        assert "secret" not in str(headers)
        assert KEY not in str(headers)
        assert ["Origin", "http://x"] in [[name.title(), value] for name, value in headers]


@pytest.mark.parametrize(("told", "code"), [(1000, 1000), (1001, 1001), (3007, 3007), (4321, 4321)])
async def test_a_close_passes_with_its_code_from_the_program_to_the_client(
    proxy: Proxy, told: int, code: int
) -> None:
    async with _connection(proxy) as connection:
        await connection.send_str(f"close{told}")
        message = await connection.receive(timeout=20)
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, code, "as told")


async def test_a_close_passes_with_its_code_from_the_client_to_the_program(proxy: Proxy) -> None:
    async with _connection(proxy) as connection:
        await connection.close(code=4242)
    await _until_left(proxy, 4242)


async def test_a_program_that_breaks_a_websocket_off_is_1011(proxy: Proxy) -> None:
    async with _connection(proxy) as connection:
        await connection.send_str("die")
        assert (await connection.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE
        assert connection.close_code == 1011


async def test_a_websocket_that_the_program_does_not_want_is_refused_with_its_status(proxy: Proxy) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await _connection(proxy, "/echo")
    assert refused.value.status == 502
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await proxy.client.session.ws_connect(f"{proxy.client.server.url}/proxy/1/")
    assert refused.value.status == 404


async def test_stopping_ends_requests_and_websockets_in_time(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            port = free_port()
            await _started(client, port)
            proxy = Proxy(client, port)
            async with proxy.request("GET", "/events") as response, _connection(proxy) as connection:
                assert await response.content.readline() == b"data: tick\n"
                server.process.terminate()
                await until(lambda: server.process.poll() is not None, "the server ended")
                assert server.process.returncode == 0
                assert (await connection.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE
