"""The routes and what they take when all is well. A test compares them with the application's."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fuzz import values
from tests.fuzz.values import Make, one_of, or_text

Fields = dict[str, Make]

_path = values.path
_text = values.text
_few = values.few
_command = one_of(*values.COMMANDS)
_flag = one_of(*(True, False, "true", "False", "null"))
_wait = one_of(0, "0", 0.1, 1, None)


def _replacements(chance: Random) -> list[dict[str, Any]]:
    made = []
    for _ in range(chance.randint(0, 3)):
        one: dict[str, Any] = {
            "target": chance.choice(("one", "two\n", "e", _text(chance))),
            "replacement": _text(chance),
        }
        for name in ("start_line", "end_line"):
            if chance.random() < 0.2:
                one[name] = _few(chance)
        if chance.random() < 0.5:
            one["allow_multiple"] = _flag(chance)
        made.append(one)
    return made


def _several(chance: Random) -> list[str]:
    return [_path(chance) for _ in range(chance.randint(0, 3))]


def _variables(chance: Random) -> dict[str, str]:
    return {_text(chance): _text(chance) for _ in range(chance.randint(0, 2))}


@dataclass(frozen=True)
class Route:
    """One way to call one path."""

    method: str
    path: str
    query: Fields = field(default_factory=dict)
    body: Fields = field(default_factory=dict)
    headers: Fields = field(default_factory=dict)
    multipart: bool = False
    raw: str = ""
    """The type of a body of any bytes."""


_FILES = (
    Route("GET", "/files/list", {"directory": _path}),
    Route("GET", "/files/read", {"path": _path, "start_line": _few, "end_line": _few}),
    Route("GET", "/files/display", {"path": _path}),
    Route("POST", "/files/write", body={"path": _path, "content": _text}),
    Route("POST", "/files/replace", body={"path": _path, "replacements": _replacements}),
    Route("POST", "/files/mkdir", body={"path": _path}),
    Route("POST", "/files/move", body={"source": _path, "destination": _path}),
    Route("DELETE", "/files/delete", {"path": _path}),
    Route("GET", "/files/cwd"),
    Route("POST", "/files/cwd", body={"path": _path}),
    Route("POST", "/files/archive", body={"paths": _several}),
    Route("POST", "/files/compare", body={"original": _path, "revised": _path, "ignore_whitespace": _flag}),
    Route("GET", "/files/view", {"path": _path, "preview": _flag}),
    Route("GET", "/files/serve/{junk}"),
    Route("GET", "/files/download/link", {"path": _path}),
    Route("GET", "/files/download/{download}"),
    Route("GET", "/files/download/{junk}"),
    Route("POST", "/files/upload", {"dir": _path}, multipart=True),
    Route("POST", "/files/upload", {"directory": _path}, multipart=True),
    Route(
        "POST",
        "/files/upload",
        {"dir": _path, "url": or_text("http://127.0.0.1/", "http://x.invalid/a", "ftp://x")},
    ),
    Route("POST", "/files/upload/link", {"dir": _path}),
    Route("GET", "/files/upload/{upload}"),
    Route("POST", "/files/upload/{upload}", multipart=True),
)
_LENGTH = one_of("0", "5", "300", "-1", "9" * 30, "x")
_METADATA = or_text("filename dXA=", "filename L2V0Yw==", "filename !", "name", "")
_UPLOADS = (
    Route("OPTIONS", "/files/tus"),
    Route(
        "POST",
        "/files/tus",
        {"directory": _path},
        headers={"Upload-Length": _LENGTH, "Upload-Metadata": _METADATA},
    ),
    Route("HEAD", "/files/tus/{tus}"),
    Route(
        "PATCH", "/files/tus/{tus}", headers={"Upload-Offset": _LENGTH}, raw="application/offset+octet-stream"
    ),
    Route("DELETE", "/files/tus/{tus}"),
    Route("HEAD", "/files/tus/{junk}"),
)
_SEARCHES = (
    Route(
        "GET",
        "/files/grep",
        {
            "query": or_text("one", "(a+)+$", "[", "\\"),
            "path": _path,
            "regex": _flag,
            "case_insensitive": _flag,
            "include": _text,
            "match_per_line": _flag,
            "max_results": _few,
        },
    ),
    Route(
        "GET",
        "/files/glob",
        {
            "pattern": or_text("*.txt", "**/*", "[", "{a,b}"),
            "path": _path,
            "exclude": _text,
            "type": one_of("file", "directory", "any"),
            "max_results": _few,
        },
    ),
    Route("GET", "/files/search", {"query": _text, "path": _path, "limit": _few, "type": _text}),
    Route(
        "GET",
        "/files/matches",
        {"query": _text, "path": _path, "limit": _few, "offset": _few, "show_hidden": _flag},
    ),
)
_COMMANDS = (
    Route("POST", "/execute", body={"command": _command, "timeout": one_of(0, 0.05, 1, None)}),
    Route("POST", "/execute", {"stream": _flag}, body={"command": _command, "timeout": one_of(0.05, 1, 2)}),
    Route(
        "POST",
        "/execute",
        {"wait": _wait, "tail": _few},
        body={"command": _command, "cwd": _path, "env": _variables},
    ),
    Route("GET", "/execute"),
    Route("GET", "/execute/{process}/status", {"wait": _wait, "offset": _few, "tail": _few}),
    Route("GET", "/execute/{junk}/status"),
    Route("POST", "/execute/{process}/input", body={"input": _text}),
    Route("DELETE", "/execute/{process}", {"force": _flag}),
)
_SHELLS = (
    Route("POST", "/api/terminals"),
    Route("GET", "/api/terminals"),
    Route("GET", "/api/terminals/{shell}"),
    Route("GET", "/api/terminals/{junk}"),
    Route("DELETE", "/api/terminals/{shell}"),
    Route("GET", "/api/terminals/user/output"),
    Route("POST", "/api/terminals/user/input", body={"input": _text}),
    Route("GET", "/ports"),
    Route("GET", "/proxy/{port}/{junk}"),
    Route("GET", "/proxy/{program}/{junk}", {"a": _text}),
    Route("POST", "/proxy/{program}/a.txt", raw="text/plain"),
    Route("POST", "/proxy/1/x"),
    Route("GET", "/proxy/{junk}"),
)
_NOTEBOOKS = (
    Route("POST", "/notebooks", body={"path": or_text("broken.ipynb")}),
    Route("GET", "/notebooks"),
    Route("GET", "/notebooks/{junk}"),
    Route("POST", "/notebooks/{junk}/execute", body={"cell_index": _few, "source": _text}),
    Route("POST", "/notebooks/{junk}/interrupt"),
    Route("POST", "/notebooks/{junk}/restart"),
    Route("DELETE", "/notebooks/{junk}"),
)
_ACCEPT = {"Accept": one_of("application/json, text/event-stream", "text/event-stream", "*/*")}
_REST = (
    Route("GET", "/health"),
    Route("GET", "/ready"),
    Route("GET", "/activity"),
    Route("GET", "/api/config"),
    Route("GET", "/system"),
    Route("GET", "/info"),
    Route("GET", "/openapi.json"),
    Route("GET", "/docs"),
    Route("GET", "/skills"),
    Route("GET", "/skills/read", {"name": _text}),
    Route("GET", "/api/v1/policies"),
    Route(
        "POST",
        "/mcp",
        body={
            "jsonrpc": one_of("2.0"),
            "id": _few,
            "method": or_text("initialize", "tools/list", "tools/call", "ping"),
            "params": values.junk,
        },
        headers=_ACCEPT,
    ),
    Route("GET", "/mcp", headers=_ACCEPT),
    Route("DELETE", "/mcp"),
    Route("GET", "/{junk}"),
)
ROUTES = (*_FILES, *_FILES, *_UPLOADS, *_SEARCHES, *_COMMANDS, *_SHELLS, *_NOTEBOOKS, *_REST)
