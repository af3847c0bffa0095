"""Takes out of a query what clients send for "nothing": empty values, `null`, `None` and `undefined`.

Clients that fill in a model's arguments send every parameter they know, whether it has a value or not.
"""

from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

from terminal_server.leniency import NOTHING

_TEXTS = {"query", "pattern", "name"}
"""What somebody may look for, whatever it is."""
_UNTOUCHED = ("/proxy/", "/files/serve/")
"""What belongs to the user's own programs."""


class DropNothings:
    """ASGI middleware: everything behind it sees a query without parameters that have no value."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its query cleaned."""
        if scope["type"] == "http" and scope["query_string"] and not scope["path"].startswith(_UNTOUCHED):
            scope = {**scope, "query_string": cleaned(scope["query_string"])}
        await self.app(scope, receive, send)


def cleaned(query: bytes) -> bytes:
    """Return a query string without what has no value; one that needs no change is returned as it is."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    kept = [(name, value) for name, value in pairs if name in _TEXTS or value.lower() not in NOTHING]
    return query if len(kept) == len(pairs) else urlencode(kept, encoding="latin-1").encode()
