"""Turns the operations of the OpenAPI document into tools, and calls of tools into requests.

So a tool is never described twice, and whatever the HTTP interface checks, bounds and logs holds here too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

_METHODS = ("get", "put", "post", "delete", "patch")
_JSON = "application/json"


@dataclass(frozen=True)
class Tool:
    """One operation, as a tool."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    """What the arguments look like."""
    method: str
    path: str
    """With names in braces."""
    in_path: frozenset[str]
    in_query: frozenset[str]
    in_body: bool
    """Whether all other arguments make up a body."""


@dataclass(frozen=True)
class Request:
    """What a call of a tool is over HTTP."""

    method: str
    path: str
    query: str
    body: bytes


def tools_of(document: Mapping[str, Any]) -> dict[str, Tool]:
    """Return the tools of an OpenAPI document without references, by their names."""
    return {tool.name: tool for tool in _tools(document)}


def request_of(tool: Tool, arguments: Mapping[str, Any]) -> Request:
    """Return the request that a call of `tool` is. What no operation knows is left to the operation to refuse."""
    given = {name: value for name, value in arguments.items() if value is not None}
    path = tool.path
    for name in tool.in_path:
        path = path.replace(f"{{{name}}}", quote(_text(given.get(name, "")), safe="", errors="replace"))
    query = [
        (name, _text(value))
        for name in sorted(tool.in_query & given.keys())
        for value in (given[name] if isinstance(given[name], list) else [given[name]])
    ]
    rest = {name: value for name, value in arguments.items() if name not in tool.in_path | tool.in_query}
    body = json.dumps(rest).encode() if tool.in_body else b""
    return Request(tool.method, path, urlencode(query, errors="replace"), body)


def _tools(document: Mapping[str, Any]) -> Iterator[Tool]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield _tool(path, method, operations[method])


def _tool(path: str, method: str, operation: Mapping[str, Any]) -> Tool:
    parameters = operation.get("parameters", [])
    properties = {
        one["name"]: {**one.get("schema", {}), **_description(one)}
        for one in parameters
        if one["in"] in {"path", "query"}
    }
    required = [one["name"] for one in parameters if one.get("required") and one["name"] in properties]
    body = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
    if body is not None:
        properties |= body.get("properties", {})
        required += body.get("required", [])
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return Tool(
        name=operation["operationId"],
        title=operation.get("summary", ""),
        description=operation.get("description", ""),
        schema=schema,
        method=method.upper(),
        path=path,
        in_path=frozenset(one["name"] for one in parameters if one["in"] == "path"),
        in_query=frozenset(one["name"] for one in parameters if one["in"] == "query"),
        in_body=body is not None,
    )


def _description(parameter: Mapping[str, Any]) -> dict[str, str]:
    return {"description": parameter["description"]} if "description" in parameter else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
