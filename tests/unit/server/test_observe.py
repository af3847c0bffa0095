"""What of a path may stand in a log."""

import pytest
from terminal_server.middleware.observe import shown


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/execute", "/execute"),
        ("/files/upload", "/files/upload"),
        ("/files/upload/link", "/files/upload/link"),
        ("/files/upload/SECRET", "/files/upload/***"),
        ("/files/download/SECRET/more", "/files/download/***"),
        ("/files/download/link/SECRET", "/files/download/***"),
        ("/files/download/S\nECRET", "/files/download/***"),
        ("/a\nforged line\x1b[2J", "/a\\nforged line\\x1b[2J"),
        ("/" + "x" * 1000, "/" + "x" * 199),
    ],
)
def test_the_token_of_a_link_is_not_logged_and_a_path_is_one_line(path: str, logged: str) -> None:
    assert shown(path) == logged
