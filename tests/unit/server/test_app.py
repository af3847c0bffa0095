"""What holds for all routes."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from terminal_server.app import create_app
from terminal_server.auth import KeyRing
from terminal_server.settings import Settings


@pytest.mark.parametrize("contract", [1, 2])
def test_every_call_takes_json_from_clients_that_do_not_say_what_they_send(
    tmp_path: Path, contract: int
) -> None:
    routes = _routes_with_a_body(tmp_path, contract)
    assert [route.path for route in routes if route.strict_content_type is not False] == []


@pytest.mark.parametrize("contract", [1, 2])
def test_no_call_takes_a_body_of_any_size(tmp_path: Path, contract: int) -> None:
    routes = _routes_with_a_body(tmp_path, contract)
    assert [route.path for route in routes if route.max_body_size is None] == []


def _routes_with_a_body(home: Path, contract: int) -> list[APIRoute]:
    """Return the routes that read a body as a whole."""
    settings = Settings(home=home, execute_contract=contract, enable_terminal=True, enable_notebooks=True)
    app = create_app(settings, keys=KeyRing([]), variables={})
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.body_field is not None]
    assert len(routes) > 5
    return routes


def test_no_route_is_made_when_a_request_comes_by(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path), keys=KeyRing([]), variables={})
    assert [route for route in app.routes if not hasattr(route, "path")] == []
