"""Requests made up: of every route, right in most things and wrong in some, or wrong altogether."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from tests.contract.running import KEY
from tests.fuzz import values
from tests.fuzz.routes import ROUTES, Fields, Route

_JSON_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "application/octet-stream",
    "x",
    "",
)
_STRAY_HEADERS = (
    "Authorization: Bearer wrong",
    "Authorization: Basic YTpi",
    "Authorization: Bearer \xff\xfe",
    "Range: bytes=0-0",
    "Range: bytes=-1",
    "Range: bytes=5-2",
    "Range: bytes=0-0,2-2,1-",
    "Range: lines=1",
    "Range: bytes=99999999999999999999-",
    'If-Range: "x"',
    "If-None-Match: *",
    "If-Modified-Since: yesterday",
    "Accept: application/pdf;q=NaN",
    "Accept-Encoding: gzip, br, \0",
    "X-Session-Id: \xe4\xf6",
    "X-Session-Id: " + "s" * 3000,
    "X-User-Id: ../..",
    "X-Request-Id: a b\tc",
    "Origin: null",
    "Origin: http://evil.example",
    "Access-Control-Request-Method: DELETE",
    "Content-Encoding: gzip",
    "Content-Length: 5",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Host: evil.example",
    "Cookie: a=b; \xff",
    "Content-Range: bytes 0-5/10",
    "Content-Range: bytes */10",
    "Upload-Offset: 0",
    "Upload-Length: 99999999999999999999",
    "X-Forwarded-For: 127.0.0.1",
    "Bad Header",
    "Folded: a\r\n b",
    "Big: " + "h" * 70_000,
)
_BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{",
    b'{"path": "a", "path": "b", "command": "true", "command": "false"}',
    b'{"command": "\xff\xfe"}',
    b'{"path": "\\ud800\\ud800"}',
    b'{"timeout": NaN, "command": "true"}',
    b'{"timeout": ' + b"9" * 5000 + b', "command": "true"}',
    b'{"timeout": 1e99999, "command": "true"}',
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    bytes(range(256)),
    b"a=b&c=%zz",
)
_OF_LENGTH = ("Transfer-Encoding", "Content-Length")
_METHODS = ("GET", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "X")
_ENDS_OF_PATHS = ("/", "//", "/..", "/%2e%2e/", "%", "%ff", ";x", "/%00", "/x" * 300)
_ENDS_OF_QUERIES = ("&", "=", "=x", "a=%", "a=%ff%fe", "wait", "a[]=1", "path=1&path=2", "?" * 50)
_MULTIPARTS: tuple[bytes, ...] = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nhello\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nhello',
    b'--b\r\nContent-Disposition: form-data; filename="%s"\r\n\r\n\r\n--b--',
    b"--b\r\ncontent-disposition: form-data; name=file; filename*=UTF-8''%s\r\n\r\n\r\n--b--\r\n",
    b"preamble\r\n--b\r\nX: %s\r\n\r\n--b\r\n--b--",
    b"--b\r\n" + b"h" * 20_000 + b"%s",
)


@dataclass(frozen=True)
class Request:
    """One request. `{shell}` and the like in its target stand for what the server has made last."""

    method: str
    target: str
    headers: tuple[str, ...]
    body: bytes = b""
    length: int = 0
    """What Content-Length is more, or less, than the body has."""
    chunked: bool = False

    @property
    def whole(self) -> bool:
        """Whether all that is announced is sent."""
        return self.length <= 0 and not any(header.startswith(_OF_LENGTH) for header in self.headers)

    def encoded(self, known: dict[str, str]) -> bytes:
        """Return it as it is sent."""
        target = self.target
        for name, value in known.items():
            target = target.replace("{" + name + "}", value)
        lines = [f"{self.method} {target} HTTP/1.1", "Host: x", "Connection: close", *self.headers]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.body or self.length:
            lines.append(f"Content-Length: {max(0, len(self.body) + self.length)}")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head + (_chunked(self.body) if self.chunked else self.body)


def _chunked(body: bytes) -> bytes:
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:3], body[3:]) if part) + b"0\r\n\r\n"
    )


def request(number: int) -> Request:
    """Make the request of this number: of some route, right in most things."""
    chance = Random(number)  # noqa: S311 - no secret
    route = chance.choice(ROUTES)
    odd = chance.randrange(12)
    method = chance.choice(_METHODS) if odd == 0 else route.method
    headers = [f"Authorization: Bearer {KEY}"]
    if chance.randrange(4) == 0:
        headers.append(chance.choice(_STRAY_HEADERS))
    headers += [f"{name}: {_in_header(value)}" for name, value in _mostly(route.headers, chance).items()]
    body, kind = _body(route, chance)
    if kind:
        headers.append(f"Content-Type: {kind}")
    length = chance.choice((-3, 7, 100_000)) if odd == 1 and body else 0
    return Request(method, _target(route, chance), tuple(headers), body, length, chunked=odd == 2)


def _target(route: Route, chance: Random) -> str:
    path = route.path
    if "{junk}" in path:
        path = path.replace("{junk}", _quoted(values.path(chance)))
    if chance.randrange(40) == 0:
        path += chance.choice(_ENDS_OF_PATHS)
    given = _mostly(route.query, chance)
    pairs = [
        f"{_quoted(name)}={_quoted(one if isinstance(one, str) else json.dumps(one))}"
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    if chance.randrange(40) == 0:
        pairs.append(chance.choice(_ENDS_OF_QUERIES))
    return path + ("?" + "&".join(pairs) if pairs else "")


def _mostly(fields: Fields, chance: Random) -> dict[str, Any]:
    """Make values for fields: most are there and right."""
    given = {}
    for name, right in fields.items():
        luck = chance.randrange(20)
        if luck > 2:
            given[name] = right(chance)
        elif luck > 0:
            given[name] = values.junk(chance)
    if chance.randrange(30) == 0:
        given[values.text(chance)] = values.junk(chance)
    return given


def _body(route: Route, chance: Random) -> tuple[bytes, str]:
    """Make a body, and the Content-Type it is said to have."""
    if route.multipart:
        form = chance.choice(_MULTIPARTS) if chance.randrange(3) == 0 else _MULTIPARTS[0]
        name = values.name(chance).encode("utf-8", "surrogatepass")
        kind = "multipart/form-data; boundary=b"
        return form.replace(b"%s", name), chance.choice((*[kind] * 8, "text/plain", "multipart/form-data"))
    if route.raw:
        return chance.randbytes(chance.choice((0, 1, 5, 300, 70_000))), route.raw
    if not route.body and chance.randrange(10):
        return b"", ""
    kind = chance.choice(_JSON_TYPES) if chance.randrange(10) == 0 else _JSON_TYPES[0]
    if chance.randrange(12) == 0:
        return chance.choice(_BODIES), kind
    return json.dumps(_mostly(route.body, chance)).encode(), kind


def _in_header(value: Any) -> str:
    return "".join(one for one in str(value) if one not in "\r\n\0")


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="/~")
