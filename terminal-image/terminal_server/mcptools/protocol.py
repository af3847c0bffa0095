"""What speaks MCP: the official SDK, with the tools put in.

This module is imported at the first request, since what it needs takes time and memory.

The transport is stateless: no session of the protocol outlives its request, so nothing is lost when the
terminal is restarted, and nothing is kept for clients that do not come back. Whose call it is, and in which
chat, is said by the same headers as over HTTP.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from sse_starlette.sse import AppStatus
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from terminal_server import __version__
from terminal_server.logs import request_id
from terminal_server.mcptools.inprocess import Answer, TooLargeError, send
from terminal_server.mcptools.tools import Tool, request_of, tools_of

_FORWARDED = ("authorization", "host", "user-agent", "x-session-id", "x-user-id")
_STRUCTURED_BYTES = 256 * 1024
_FIRST_ERROR = 400


def make_manager(
    app: ASGIApp, document: Mapping[str, Any], body_limit_bytes: int
) -> StreamableHTTPSessionManager:
    """Return what answers the requests of MCP clients.

    Args:
        app: the application whose operations the tools are.
        document: its OpenAPI document.
        body_limit_bytes: how large a request may be.
    """
    tools = tools_of(document)
    listed = types.ListToolsResult(tools=[_listed(tool) for tool in tools.values()])

    async def list_tools(
        _context: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return listed

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
        request = context.request
        headers = [] if request is None else _forwarded(request.headers)
        client = None if request is None else request.scope.get("client")
        try:
            answer = await send(app, request_of(tool, params.arguments or {}), headers, client)
        except TooLargeError:
            return _failure("The answer is too large: ask for less of it.")
        return await _result(tool, answer)

    info = document["info"]
    server: Server[Any] = Server(
        "terminal",
        version=__version__,
        title=info["title"],
        instructions=info.get("description"),
        get_tool_input_schema=lambda name: tools[name].schema if name in tools else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    # Traces are nobody's here.
    server.middleware.clear()
    # A call is answered when what it runs has been ended, not cut off when the end begins.
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    # It writes a line for each request, and so does the access log.
    logging.getLogger("mcp").setLevel(logging.WARNING)
    return StreamableHTTPSessionManager(
        server,
        stateless=True,
        # A page that has itself resolved to this address has no key to send along, so names need no check;
        # and the name a terminal is reached by is the ingress controller's to know.
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_request_body_size=body_limit_bytes,
    )


def _listed(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title or None,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.method == "GET", destructive_hint=tool.method == "DELETE"
        ),
    )


def _forwarded(headers: Headers) -> list[tuple[bytes, bytes]]:
    kept = [(name.encode(), headers[name].encode("latin-1")) for name in _FORWARDED if name in headers]
    same = (b"x-request-id", request_id.get().encode())
    return [*kept, same, (b"content-type", b"application/json"), (b"accept", b"*/*")]


async def _result(tool: Tool, answer: Answer) -> types.CallToolResult:
    if answer.status >= _FIRST_ERROR:
        return _failure(_detail(answer))
    if answer.kind.startswith(("image/", "audio/")) or not _is_text(answer.kind):
        return types.CallToolResult(content=[await asyncio.to_thread(_binary, tool, answer)])
    text = answer.body.decode(errors="replace")
    structured = None
    if answer.kind == "application/json" and len(answer.body) <= _STRUCTURED_BYTES:
        structured = json.loads(text)
    return types.CallToolResult(
        content=[types.TextContent(text=text)],
        # Clients of all versions but the last take an object only.
        structured_content=structured if isinstance(structured, dict) else None,
    )


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in {"", "application/json", "application/x-ndjson"}


def _binary(tool: Tool, answer: Answer) -> types.ContentBlock:
    data = base64.b64encode(answer.body).decode()
    if answer.kind.startswith("image/"):
        return types.ImageContent(data=data, mime_type=answer.kind)
    if answer.kind.startswith("audio/"):
        return types.AudioContent(data=data, mime_type=answer.kind)
    resource = types.BlobResourceContents(uri=f"terminal:{tool.path}", blob=data, mime_type=answer.kind)
    return types.EmbeddedResource(resource=resource)


def _failure(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _detail(answer: Answer) -> str:
    """Return what an error's answer says, in words."""
    try:
        detail = json.loads(answer.body)["detail"]
    except (ValueError, KeyError, TypeError):
        return f"The call failed with status {answer.status}."
    if isinstance(detail, list):
        return "\n".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
    return detail if isinstance(detail, str) else json.dumps(detail)
