"""Operations as tools, and calls of tools as requests."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st
from terminal_server.mcptools.tools import Tool, request_of, tools_of

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things/{id}/parts": {
            "post": {
                "operationId": "change_parts",
                "summary": "Change parts",
                "description": "Changes parts.",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {
                        "name": "wait",
                        "in": "query",
                        "schema": {"type": "number", "default": 30},
                        "description": "How long.",
                    },
                    {
                        "name": "kinds",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {"name": "X-Session-Id", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"text": {"type": "string"}, "limit": {"type": "number"}},
                                "required": ["text"],
                            }
                        }
                    }
                },
            },
            "get": {"operationId": "list_parts"},
        },
        "/upload": {
            "post": {
                "operationId": "upload",
                "parameters": [
                    {"name": "dir", "in": "query", "required": True, "schema": {"type": "string"}}
                ],
                "requestBody": {"content": {"multipart/form-data": {"schema": {"properties": {"file": {}}}}}},
            }
        },
    }
}


def tool() -> Tool:
    return tools_of(DOCUMENT)["change_parts"]


def test_the_arguments_of_a_tool_are_the_parameters_and_the_fields_of_the_body() -> None:
    assert list(tools_of(DOCUMENT)) == ["list_parts", "change_parts", "upload"]
    assert tool().schema == {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "wait": {"type": "number", "default": 30, "description": "How long."},
            "kinds": {"type": "array", "items": {"type": "string"}},
            "text": {"type": "string"},
            "limit": {"type": "number"},
        },
        "required": ["id", "text"],
    }
    assert tools_of(DOCUMENT)["upload"].schema["properties"] == {"dir": {"type": "string"}}


def test_a_call_puts_each_argument_where_it_belongs() -> None:
    arguments = {"id": "a/b c", "wait": 1.5, "kinds": ["x", "y"], "text": "ä", "limit": None, "other": True}
    request = request_of(tool(), arguments)
    assert (request.method, request.path) == ("POST", "/things/a%2Fb%20c/parts")
    assert parse_qsl(request.query) == [("kinds", "x"), ("kinds", "y"), ("wait", "1.5")]
    assert json.loads(request.body) == {"text": "ä", "limit": None, "other": True}


def test_what_has_no_value_is_not_in_the_query() -> None:
    assert request_of(tool(), {"id": "1", "wait": None, "text": ""}).query == ""


def test_a_tool_without_a_body_sends_none() -> None:
    request = request_of(tools_of(DOCUMENT)["upload"], {"dir": "a&b=c", "file": "ignored"})
    assert (request.query, request.body) == ("dir=a%26b%3Dc", b"")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["id", "wait", "kinds", "text", "more"]), VALUES))
def test_whatever_is_given_becomes_a_request_of_this_operation(arguments: dict[str, Any]) -> None:
    request = request_of(tool(), arguments)
    assert request.path.startswith("/things/")
    assert request.path.endswith("/parts")
    assert request.path.count("/") == 3
    assert unquote(request.path)
    assert request.query.isascii()
    assert isinstance(json.loads(request.body), dict)
