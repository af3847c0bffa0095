"""Takes the path of the public URL off the paths of requests.

Routes of an ingress controller need no rewriting then. Requests without the prefix are answered as well.
"""

from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send


class StripPrefix:
    """ASGI middleware: everything behind it sees paths as if the server were at the root."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without the prefix."""
        if self.prefix and scope["type"] in {"http", "websocket"}:
            scope = stripped(scope, self.prefix)
        await self.app(scope, receive, send)


def stripped(scope: Scope, prefix: str) -> Scope:
    """Return `scope` with `prefix` taken off its paths, if it is there as whole segments."""
    path: str = scope["path"]
    if path != prefix and not path.startswith(prefix + "/"):
        return scope
    rest = path[len(prefix) :] or "/"
    raw: bytes = scope.get("raw_path") or b""
    encoded = prefix.encode()
    raw_rest = raw[len(encoded) :] or b"/" if raw.startswith(encoded) else quote(rest).encode()
    return {**scope, "path": rest, "raw_path": raw_rest}
