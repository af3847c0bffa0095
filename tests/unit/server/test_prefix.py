"""The path of the public URL."""

import pytest
from terminal_server.middleware.prefix import stripped


@pytest.mark.parametrize(
    ("path", "raw", "seen", "raw_seen"),
    [
        ("/t/a/b/health", b"/t/a/b/health", "/health", b"/health"),
        ("/t/a/b", b"/t/a/b", "/", b"/"),
        ("/t/a/b/", b"/t/a/b/", "/", b"/"),
        ("/t/a/b/x y", b"/t/a/b/x%20y", "/x y", b"/x%20y"),
        ("/t/a/b/x/y", b"/t/a/b/x%2Fy", "/x/y", b"/x%2Fy"),
        ("/t/a/b/ä", b"/t/%61/b/%C3%A4", "/ä", b"/%C3%A4"),
        ("/t/a/bc/health", b"/t/a/bc/health", "/t/a/bc/health", b"/t/a/bc/health"),
        ("/health", b"/health", "/health", b"/health"),
        ("/x/t/a/b/health", b"/x/t/a/b/health", "/x/t/a/b/health", b"/x/t/a/b/health"),
        ("/t/a/b/t/a/b/x", b"/t/a/b/t/a/b/x", "/t/a/b/x", b"/t/a/b/x"),
    ],
)
def test_a_prefix_is_taken_off_once_and_as_whole_segments(
    path: str, raw: bytes, seen: str, raw_seen: bytes
) -> None:
    scope = stripped({"type": "http", "path": path, "raw_path": raw, "query_string": b"a=b"}, "/t/a/b")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (seen, raw_seen, b"a=b")
