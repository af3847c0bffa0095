"""Nothing is left out of what is tried."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from terminal_server.app import create_app
from terminal_server.auth import KeyRing
from terminal_server.settings import Settings

from tests.fuzz.effort import INPUTS
from tests.fuzz.routes import ROUTES


def test_more_than_10000_inputs_are_tried() -> None:
    assert sum(INPUTS.values()) > 10_000


def test_every_route_of_the_server_is_tried(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path), keys=KeyRing([]), variables={})
    for method, path in _routes(app.router.routes):
        pattern = re.compile(re.sub(r"\\\{.*?\\\}", ".+", re.escape(path)))
        assert any(route.method == method and pattern.fullmatch(route.path) for route in ROUTES), (
            method,
            path,
        )


def _routes(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes)
        else:
            for method in getattr(route, "methods", None) or ():
                # HEAD stands beside GET, and is one of the methods that are tried instead of others.
                if method != "HEAD" or route.methods == {"HEAD"}:
                    yield method, route.path
