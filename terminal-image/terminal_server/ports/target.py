"""What a path `/proxy/PORT/…` asks for, and where a program's own redirections lead from there."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope

_PATH = re.compile(rb"/proxy/([1-9][0-9]{0,4})(/.*)?", re.DOTALL)
_OWN_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - what programs call themselves
_LAST_PORT = 65535


@dataclass(frozen=True)
class Target:
    """A port, and what is asked of the program there."""

    port: int
    path: str
    """As it was sent, encoded; it begins with a slash."""
    query: str
    prefix: str
    """What stands before the path for the client, as far as this server knows."""
    has_slash: bool
    """Whether the client's path had a slash after the port."""

    @property
    def path_and_query(self) -> str:
        """What stands in the first line of a request."""
        return f"{self.path}?{self.query}" if self.query else self.path


def target_of(scope: Scope, public_prefix: str) -> Target | None:
    """Return what a request asks for, or None if its path is none of `/proxy/PORT/…`."""
    match = _PATH.fullmatch(scope["raw_path"])
    if match is None or int(match[1]) > _LAST_PORT:
        return None
    port = int(match[1])
    return Target(
        port=port,
        path=(match[2] or b"/").decode("ascii", "replace"),
        query=scope["query_string"].decode("ascii", "replace"),
        prefix=f"{public_prefix}/proxy/{port}",
        has_slash=match[2] is not None,
    )


def relocated(location: str, target: Target) -> str:
    """Return where a redirection of the program leads to, for the client.

    What is absolute for the program becomes relative to what was asked, so that it is right behind any number of
    prefixes. Other places stay what they are.
    """
    try:
        parts = urlsplit(location)
        own = parts.hostname in _OWN_HOSTS and parts.port in {target.port, None}
    except ValueError:
        return location
    if parts.netloc or parts.scheme:
        if not own or parts.scheme not in {"http", "https", ""}:
            return location
        location = parts._replace(scheme="", netloc="").geturl()
        location = location if location.startswith("/") else f"/{location}"
    if not location.startswith("/"):
        return location
    up = "../" * (target.path.count("/") - 1) if target.has_slash else f"{target.port}/"
    return (up or "./") + location.lstrip("/")
