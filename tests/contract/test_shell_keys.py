"""Who gets at an interactive shell."""

import time
from pathlib import Path

import aiohttp
import pytest

from tests.contract.running import KEY, Client, connected, running
from tests.contract.screens import opened, seen, terminal

_OTHERS = {"X-Session-Id": "another-chat"}


@pytest.mark.parametrize(
    "first",
    ['{"type":"auth","token":"wrong"}', '{"type":"auth"}', '{"type":"auth","token":7}', "{", "[]", "[" * 9000,
     '{"type":"auth","token":"\\ud800"}', '{"type":"resize","cols":1,"rows":1}', b"ls\n"],
)  # fmt: skip
async def test_without_a_valid_key_in_the_first_message_the_code_is_4001(
    client: Client, first: str | bytes
) -> None:
    shell = await opened(client)
    async with seen(client, shell, key=None) as screen:
        await (screen.socket.send_bytes(first) if isinstance(first, bytes) else screen.socket.send_str(first))
        assert await screen.closed() == 4001
        assert screen.shown == b""
    await client.json("DELETE", f"/api/terminals/{shell['id']}")


async def test_a_stranger_cannot_tell_whether_a_shell_is_there(client: Client) -> None:
    async with seen(client, {"id": "nowhere"}, key="wrong") as screen:
        assert await screen.closed() == 4001
    async with seen(client, {"id": "nowhere"}) as screen:
        assert await screen.closed() == 4004


async def test_who_says_nothing_is_sent_away_after_ten_seconds(client: Client) -> None:
    begun = time.monotonic()
    async with seen(client, {"id": "nowhere"}, key=None) as screen:
        assert await screen.closed() == 4001
    assert time.monotonic() - begun >= 9.9


async def test_a_stranger_cannot_send_much(client: Client) -> None:
    async with seen(client, {"id": "nowhere"}, key=None) as screen:
        await screen.socket.send_str("x" * 20_000)
        assert await screen.closed() == 1009


async def test_a_header_with_the_key_is_as_good_as_the_message(client: Client) -> None:
    shell = await opened(client)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with seen(client, shell, key=None, headers=headers) as screen:
        await screen.runs("true")
    async with seen(client, shell, headers=headers) as screen:
        await screen.runs("true")
    await client.json("DELETE", f"/api/terminals/{shell['id']}")


async def test_a_shell_of_another_chat_or_user_is_not_there(client: Client) -> None:
    mine = {"X-Session-Id": "mine", "X-User-Id": "me"}
    async with terminal(client, **mine) as screen:
        path = f"/api/terminals/{screen.shell['id']}"
        for others in (_OTHERS, {**mine, "X-User-Id": "you"}, {"X-User-Id": "me"}, {}):
            assert screen.shell not in await client.json("GET", "/api/terminals", headers=others)
            await client.json("GET", path, 404, headers=others)
            await client.json("DELETE", path, 404, headers=others)
        for others in (_OTHERS, {"X-User-Id": "you"}):
            async with seen(client, screen.shell, headers=others) as other:
                assert await other.closed() == 4004
        async with seen(client, screen.shell, chat_id="another-chat") as other:
            assert await other.closed() == 4004
        await screen.runs("true")
        async with seen(client, screen.shell, headers={"X-User-Id": "me"}, chat_id="mine") as other:
            await other.runs("true")


async def test_neither_the_key_nor_what_is_typed_is_logged_even_on_the_lowest_level(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_LOG_LEVEL="debug") as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.runs("echo a-secret-of-mine")
            url = f"{server.url}/api/terminals/{screen.shell['id']}?token=in-the-query"
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
                await connection.send_json({"type": "auth", "token": "a-wrong-key"})
                await connection.receive()
        logged = server.logged()
    for secret in (KEY, "a-secret-of-mine", "in-the-query", "a-wrong-key"):
        assert secret not in logged


@pytest.mark.parametrize(
    "path", ["/unknown", "/execute", "/proxy/8000/", "/api/terminals", "/api/terminals/a/b", "/mcp"]
)
async def test_a_websocket_without_a_key_reaches_no_handler(stranger: Client, path: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await stranger.session.ws_connect(stranger.server.url + path)
    assert refused.value.status == 403


async def test_a_broken_handshake_is_refused_and_logged_by_no_traceback(client: Client) -> None:
    for headers in (
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "7"},
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "x",
            "Sec-WebSocket-Version": "13",
        },
    ):
        async with client.request("GET", "/api/terminals/nowhere", headers=headers) as response:
            assert 400 <= response.status < 500
