"""MCP at `/mcp`, by the official SDK's own client: the same tools as over HTTP, and the same answers."""

import asyncio
import base64
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ImageContent, TextContent

from tests.contract.running import KEY, Client, Server, connected, running, until

MODES: tuple[Literal["auto", "legacy"], ...] = ("auto", "legacy")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@contextlib.asynccontextmanager
async def talking(
    server: Server, mode: Literal["auto", "legacy"] = "auto", path: str = "/mcp", **headers: str
) -> AsyncIterator[McpClient]:
    """A client of MCP, of the newest protocol or an older one."""
    sent = {
        "Authorization": f"Bearer {KEY}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    async with (
        httpx2.AsyncClient(headers=sent, timeout=60) as http,
        McpClient(streamable_http_client(server.url + path, http_client=http), mode=mode) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    """What a result says."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def runner(document: dict[str, Any]) -> str:
    """The name of the tool that runs commands."""
    return str(document["paths"]["/execute"]["post"]["operationId"])


@pytest.fixture
async def document(client: Client) -> dict[str, Any]:
    answer = await client.json("GET", "/openapi.json")
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("mode", MODES)
async def test_the_tools_are_the_operations_of_the_openapi_document(
    client: Client, document: dict[str, Any], mode: Literal["auto", "legacy"]
) -> None:
    async with talking(client.server, mode) as mcp:
        tools = {tool.name: tool for tool in (await mcp.list_tools()).tools}
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert tools.keys() == operations.keys()
    for name, operation in operations.items():
        tool = tools[name]
        assert tool.description == operation.get("description", "")
        body = (
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        )
        parameters = {one["name"]: one for one in operation.get("parameters", [])}
        properties = tool.input_schema["properties"]
        assert properties.keys() == parameters.keys() | body.get("properties", {}).keys()
        for parameter, one in parameters.items():
            assert properties[parameter]["type"] == one["schema"]["type"]
            assert properties[parameter]["description"] == one["description"]
        wanted = [one for one in parameters if parameters[one].get("required")]
        assert tool.input_schema.get("required", []) == wanted + body.get("required", [])


@pytest.mark.parametrize("mode", MODES)
async def test_a_command_is_run_and_its_answer_is_text_and_data(
    client: Client, document: dict[str, Any], mode: Literal["auto", "legacy"]
) -> None:
    async with talking(client.server, mode) as mcp:
        result = await mcp.call_tool(runner(document), {"command": "echo hello; exit 3"})
    assert not result.is_error
    assert result.structured_content == json.loads(text_of(result))
    assert result.structured_content["exit_code"] == 3
    assert "hello\\n" in text_of(result)


async def test_files_are_written_listed_found_read_and_changed(client: Client) -> None:
    async with talking(client.server) as mcp:

        async def call(name: str, **arguments: Any) -> Any:
            result = await mcp.call_tool(name, arguments)
            assert not result.is_error, result
            return result.structured_content

        await call("write_file", path="mcp/a b.txt", content="one\ntwo\n")
        listed = await call("list_files", directory="mcp")
        assert [entry["name"] for entry in listed["entries"]] == ["a b.txt"]
        await call(
            "replace_file_content", path="mcp/a b.txt", replacements=[{"target": "two", "replacement": "2"}]
        )
        assert (await call("read_file", path="mcp/a b.txt", start_line=2))["content"] == "2\n"
        assert len((await call("grep_search", query="one", path="mcp", include=["*.txt"]))["matches"]) == 1
        assert len((await call("glob_search", pattern="*.txt", path="mcp"))["matches"]) == 1


async def test_an_image_is_an_image(client: Client) -> None:
    (client.server.home / "dot.png").write_bytes(PNG)
    async with talking(client.server) as mcp:
        (content,) = (await mcp.call_tool("read_file", {"path": "dot.png"})).content
    assert isinstance(content, ImageContent)
    assert (content.mime_type, base64.b64decode(content.data)) == ("image/png", PNG)


async def test_what_fails_over_http_is_an_error_that_says_the_same(
    client: Client, document: dict[str, Any]
) -> None:
    async with talking(client.server) as mcp:
        missing = await mcp.call_tool("read_file", {"path": "not-there"})
        wrong = await mcp.call_tool("read_file", {"path": "x", "start_line": "many"})
        nothing = await mcp.call_tool(runner(document), {})
        with pytest.raises(MCPError, match="Unknown tool"):
            await mcp.call_tool("no_such_tool", {})
    over_http = await client.json("GET", "/files/read?path=not-there", 404)
    assert (missing.is_error, text_of(missing)) == (True, over_http["detail"])
    assert wrong.is_error
    assert "start_line" in text_of(wrong)
    assert nothing.is_error
    assert "command" in text_of(nothing)


async def test_a_session_is_the_one_its_headers_name(client: Client) -> None:
    (client.server.home / "here").mkdir()
    session = {"X-Session-Id": "a-chat", "X-User-Id": "ann"}
    await client.json("POST", "/files/cwd", json={"path": "here"}, headers=session)
    async with talking(client.server, X_Session_Id="a-chat", X_User_Id="ann") as mcp:
        inside = await mcp.call_tool("list_files", {})
    async with talking(client.server) as mcp:
        outside = await mcp.call_tool("list_files", {})
    assert inside.structured_content["dir"] == str(client.server.home / "here")
    assert outside.structured_content["dir"] == str(client.server.home)


async def test_output_is_bounded_as_it_is_over_http(client: Client, document: dict[str, Any]) -> None:
    async with talking(client.server) as mcp:
        result = await mcp.call_tool(runner(document), {"command": "head -c 20000000 /dev/zero | tr '\\0' x"})
    assert not result.is_error
    assert len(text_of(result)) < 200_000


async def test_an_answer_too_large_to_pass_on_is_an_error(client: Client, document: dict[str, Any]) -> None:
    arguments = {"command": "head -c 30000000 /dev/zero | tr '\\0' x", "timeout": 60}
    async with talking(client.server) as mcp:
        result = await mcp.call_tool(runner(document), arguments)
    assert result.is_error
    assert "too large" in text_of(result)
    assert "Traceback" not in client.server.logged()


async def test_only_who_has_the_key_gets_an_answer(stranger: Client) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with stranger.request("POST", "/mcp", json=body, headers=headers) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_there_are_no_sessions_to_listen_to_or_to_end(client: Client, method: str) -> None:
    async with client.request(method, "/mcp") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_it_answers_with_and_without_a_slash_and_under_any_name(client: Client) -> None:
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "Host": "shell.example.org",
        "Origin": "https://chat.example.org",
    }
    for path in ("/mcp", "/mcp/"):
        async with client.request(
            "POST", path, json=body, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 200
            assert '"protocolVersion":"2025-06-18"' in await response.text()


async def test_a_page_of_an_allowed_origin_may_send_what_a_client_sends(tmp_path: Path) -> None:
    origin = "https://chat.example.org"
    with running(tmp_path, TERMINAL_SERVER_CORS_ORIGINS=origin) as server:
        async with connected(server, key=None) as client:
            headers = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name",
            }
            async with client.request("OPTIONS", "/mcp", headers=headers) as response:
                assert response.status == 200


async def test_it_answers_below_the_path_of_the_public_url(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_PUBLIC_URL="https://example.org/t/me") as server:
        async with talking(server, path="/t/me/mcp") as mcp:
            assert not (await mcp.call_tool("list_files", {})).is_error


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_goes_away_leaves_no_request_behind(
    client: Client, document: dict[str, Any], mode: Literal["auto", "legacy"]
) -> None:
    async with talking(client.server, mode) as mcp:
        arguments = {"command": "touch begun; sleep 1000", "timeout": 1000}
        (client.server.home / "begun").unlink(missing_ok=True)
        calling = asyncio.create_task(mcp.call_tool(runner(document), arguments))
        await until((client.server.home / "begun").exists, "the command runs")
        assert "/execute" in json.dumps(await client.json("GET", "/activity"))
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)

    async def ended() -> bool:
        return "/execute" not in json.dumps(await client.json("GET", "/activity"))

    await until(ended, "the call has ended")


async def test_a_client_that_goes_in_the_middle_of_its_request_is_no_failure(client: Client) -> None:
    head = f"POST /mcp HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nX-Request-Id: gone-away\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(f'{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"jsonrpc":'.encode())
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await until(lambda: "POST /mcp 499" in client.server.logged(), "the request was over")
    assert not re.search(r"ERROR.*gone-away", client.server.logged())


async def test_a_call_is_activity_and_looking_at_the_tools_is_none(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, talking(server) as mcp:

            async def last() -> Any:
                return (await client.json("GET", "/activity"))["idle_since"]

            begun = await last()
            await mcp.list_tools()
            assert await last() == begun
            await mcp.call_tool("write_file", {"path": "a", "content": ""})
            assert await last() != begun


async def test_first_requests_that_come_at_once_are_all_answered(tmp_path: Path) -> None:
    with running(tmp_path) as server:

        async def list_files() -> CallToolResult:
            async with talking(server) as mcp:
                return await mcp.call_tool("list_files", {})

        results = await asyncio.gather(*(list_files() for _ in range(8)))
    assert not any(result.is_error for result in results)


async def test_a_call_is_answered_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            name = runner(await client.json("GET", "/openapi.json"))
        async with talking(server, "legacy") as mcp:
            # Otherwise the client asks for them after the call, when nobody is there any more.
            await mcp.list_tools()
            arguments = {"command": "trap '' TERM; touch begun; sleep 1000", "timeout": 1000}
            calling = asyncio.create_task(mcp.call_tool(name, arguments))
            await until((server.home / "begun").exists, "the command runs")
            server.process.send_signal(signal.SIGTERM)
            assert not (await calling).is_error
        await until(lambda: server.process.poll() is not None, "the server ends")


async def test_a_request_too_large_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_COMMAND_LIMIT_BYTES="10000") as server:
        async with connected(server) as client, client.request("POST", "/mcp", data=b" " * 20000) as response:
            assert response.status == 413


async def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_ENABLE_MCP="false") as server:
        async with connected(server) as client:
            await client.json("POST", "/mcp", 404, json={})


async def test_it_is_not_loaded_before_it_is_wanted(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        before = server.memory_peak()
        async with talking(server) as mcp:
            await mcp.list_tools()
        assert server.memory_peak() > before + 10_000_000
