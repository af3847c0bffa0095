"""Which headers pass between a client and a program behind `/proxy/`, and which do not.

The program must not get the client's key, nor what the client has for this server or for one before it. The
client's browser must not take a program's word on anything that holds for the whole origin, since the origin is
this server's, and what the program sends is shown in a sandbox: it is nobody's, whatever page it came to.
"""

from collections.abc import Iterable, Mapping

from terminal_server.ports.target import Target, relocated

Raw = Iterable[tuple[bytes, bytes]]

SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups allow-scripts"

_ONE_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_NOT_FOR_PROGRAMS = {
    b"authorization",
    b"cookie",
    b"expect",
    b"forwarded",
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-prefix",
    b"x-forwarded-proto",
}
_NOT_FOR_CLIENTS = {
    b"alt-svc",
    b"clear-site-data",
    b"date",
    b"nel",
    b"public-key-pins",
    b"public-key-pins-report-only",
    b"report-to",
    b"reporting-endpoints",
    b"service-worker-allowed",
    b"set-cookie",
    b"set-cookie2",
    b"strict-transport-security",
    b"www-authenticate",
    # Orders to a web server that may stand in front.
    b"x-accel-redirect",
    b"x-sendfile",
}
_CROSS_ORIGIN = b"access-control-"
_OF_WEBSOCKETS = b"sec-websocket-"


def for_program(headers: Raw, target: Target, *, scheme: str, client: str) -> list[tuple[str, str]]:
    """Return the headers of a request as the program gets them."""
    given = list(headers)
    first = {name: _text(value) for name, value in reversed(given)}
    dropped = _NOT_FOR_PROGRAMS | _hop(given)
    passed = [
        (_text(name), _text(value))
        for name, value in given
        if name not in dropped and not name.startswith(_OF_WEBSOCKETS)
    ]
    return [*passed, *_forwarded(first, target, scheme, client)]


def _forwarded(first: Mapping[bytes, str], target: Target, scheme: str, client: str) -> list[tuple[str, str]]:
    """Return what the program needs to know where it is for the client."""
    before = first.get(b"x-forwarded-for")
    return [
        ("Host", f"localhost:{target.port}"),
        ("X-Forwarded-For", f"{before}, {client}" if before else client),
        ("X-Forwarded-Host", first.get(b"x-forwarded-host") or first.get(b"host", "")),
        ("X-Forwarded-Proto", first.get(b"x-forwarded-proto") or scheme),
        ("X-Forwarded-Prefix", first.get(b"x-forwarded-prefix", "").rstrip("/") + target.prefix),
    ]


def for_client(headers: Raw, target: Target) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer as the client gets them."""
    given = [(name.lower(), value) for name, value in headers]
    dropped = _NOT_FOR_CLIENTS | _hop(given)
    passed = [
        (name, relocated(value.decode("latin-1"), target).encode("latin-1") if name == b"location" else value)
        for name, value in given
        if name not in dropped and not name.startswith(_CROSS_ORIGIN)
    ]
    # Besides the program's own policy: of several, all hold.
    return [*passed, (b"content-security-policy", SANDBOX.encode())]


def _hop(headers: Raw) -> set[bytes]:
    """Return the names of those headers that are about this connection only."""
    named = (value for name, value in headers if name == b"connection")
    return _ONE_HOP | {word.strip().lower() for value in named for word in value.split(b",")}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
