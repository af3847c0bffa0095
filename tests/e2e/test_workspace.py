"""What Open WebUI's terminal integration does, through the ingress and below the path of the terminal's URL."""

import asyncio
import json
from typing import Any

import aiohttp

from tests.e2e.kit.shell import Shell
from tests.e2e.kit.waiting import until

CHAT = {"X-Session-Id": "a-chat"}


async def _json(shell: Shell, method: str, path: str, **request: Any) -> Any:
    answer = await shell.ask(path, method, **request)
    assert answer.status == 200, answer
    return json.loads(answer.body)


async def test_open_webui_takes_it_for_a_terminal_and_finds_its_tools(alice: Shell) -> None:
    visitor = alice.with_key(None)
    assert (await _json(visitor, "GET", "/api/config"))["features"]["terminal"] is True
    assert (await alice.ask("/api/v1/policies")).status not in range(200, 300)
    document = await _json(visitor, "GET", "/openapi.json")
    assert document["servers"] == [{"url": alice.url}]
    names = {call["operationId"] for calls in document["paths"].values() for call in calls.values()}
    assert {"run_command", "get_process_status", "read_file", "write_file", "grep_search"} <= names
    assert await _json(alice, "GET", "/skills") == []
    assert (await _json(alice, "GET", "/files/cwd", headers=CHAT))["home"] == "/home/user"


async def test_a_command_goes_on_in_the_background_and_is_asked_for_its_output(alice: Shell) -> None:
    body = {"command": "echo begun; read line; echo you said $line"}
    begun = await _json(alice, "POST", "/execute?wait=0", json=body, headers=CHAT)
    assert begun["status"] == "running"
    place = f"/execute/{begun['id']}"
    assert begun["id"] in {each["id"] for each in await _json(alice, "GET", "/execute", headers=CHAT)}
    assert begun["id"] not in {each["id"] for each in await _json(alice, "GET", "/execute")}
    await _json(alice, "POST", f"{place}/input", json={"input": "hello\n"}, headers=CHAT)

    async def once_ended() -> Any:
        status = await _json(alice, "GET", f"{place}/status?wait=20", headers=CHAT)
        return None if status["status"] == "running" else status

    ended = await until(once_ended, "the command has ended")
    assert (ended["status"], ended["exit_code"]) == ("done", 0)
    assert "".join(each["data"] for each in ended["output"]) == "begun\nyou said hello\n"


async def test_files_are_written_listed_searched_and_shown(alice: Shell) -> None:
    file = {"path": "workspace/notes.txt", "content": "one\ntwo needles\n"}
    assert (await _json(alice, "POST", "/files/write", json=file))["size"] == 16
    listed = await _json(alice, "GET", "/files/list?directory=workspace")
    assert [each["name"] for each in listed["entries"]] == ["notes.txt"]
    found = await _json(alice, "GET", "/files/grep?query=needles&path=workspace")
    assert len(found["matches"]) == 1
    shown = await alice.ask("/files/view?path=workspace/notes.txt", headers={"Range": "bytes=4-6"})
    assert (shown.status, shown.body) == (206, "two")


async def _until_printed(socket: aiohttp.ClientWebSocketResponse, wanted: bytes) -> None:
    printed = b""
    async with asyncio.timeout(60):
        while wanted not in printed:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, message
            printed += message.data


async def test_a_shell_survives_its_connection_and_is_found_again(alice: Shell) -> None:
    made = await _json(alice, "POST", "/api/terminals", headers=CHAT)
    place = f"/api/terminals/{made['id']}"
    first_frame = json.dumps({"type": "auth", "token": alice.key, "chat_id": CHAT["X-Session-Id"]})
    stranger = alice.with_key(None)
    async with stranger.request("GET", place, headers=CHAT) as refused:
        assert refused.status == 401
    async with stranger.websocket(place) as socket:
        await socket.send_str(first_frame)
        await socket.send_bytes(b"stty -echo; x=$((6 * 7)); echo in-$x-$PWD\n")
        await _until_printed(socket, b"in-42-/home/user")
    async with stranger.websocket(place) as socket:
        await socket.send_str(first_frame)
        # What was printed before comes again, and the shell still knows what it knew.
        await _until_printed(socket, b"in-42-/home/user")
        await socket.send_bytes(b"echo still-$x\n")
        await _until_printed(socket, b"still-42")
    assert (await alice.ask(place, "DELETE", headers=CHAT)).status == 200


async def test_a_program_of_the_user_is_seen_and_reached_on_its_port(alice: Shell) -> None:
    await alice.execute("mkdir -p site && echo '<h1>mine</h1>' > site/index.html")
    serve = {"command": "python3 -m http.server 8765 --bind 127.0.0.1 --directory site"}
    server = await _json(alice, "POST", "/execute?wait=0", json=serve)
    try:

        async def listens() -> bool:
            return 8765 in {each["port"] for each in (await _json(alice, "GET", "/ports"))["ports"]}

        await until(listens, "the server's port is seen")
        page = await alice.ask("/proxy/8765/")
        assert (page.status, page.body) == (200, "<h1>mine</h1>\n")
        assert (await alice.with_key(None).ask("/proxy/8765/")).status == 401
        assert (await alice.ask("/proxy/8000/")).status == 404, "the server's own port is not the user's"
    finally:
        await _json(alice, "DELETE", f"/execute/{server['id']}?force=true")


async def test_the_tools_are_offered_over_mcp(alice: Shell) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    headers = {"Accept": "application/json, text/event-stream"}
    answer = await alice.ask("/mcp", "POST", json=hello, headers=headers)
    assert answer.status == 200, answer
    assert '"serverInfo"' in answer.body
    assert (await alice.with_key(None).ask("/mcp", "POST", json=hello, headers=headers)).status == 401
