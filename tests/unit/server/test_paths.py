"""Names and paths that clients choose."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.paths import NAME_BYTES, BadNameError, absolute, file_name

HOME = Path("/home/user")


@given(st.text())
def test_a_file_name_never_leads_anywhere(name: str) -> None:
    try:
        stored = file_name(name)
    except BadNameError:
        return
    assert (HOME / stored).parent == HOME
    assert stored not in {"", ".", ".."}
    assert "\0" not in stored
    assert len(stored.encode(errors="replace")) <= NAME_BYTES


@given(st.from_regex(r"[a-zA-Z0-9 _\-.äö]{1,50}[a-z]", fullmatch=True))
def test_a_plain_name_is_kept(name: str) -> None:
    assert file_name(name) == name
    assert file_name(f"../{name}") == name
    assert file_name(f"C:\\folder\\{name}") == name


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("x", "/home/user/x"),
        ("/x", "/x"),
        ("~", "/home/user"),
        ("~/x", "/home/user/x"),
        ("~other", "/home/user/~other"),
        ("../x", "/home/x"),
        (".", "/home/user"),
    ],
)
def test_a_path_begins_at_home_unless_it_is_absolute(path: str, leads_to: str) -> None:
    assert absolute(path, HOME) == Path(leads_to)


@given(st.text(st.characters()))
def test_any_text_is_a_path_or_refused(path: str) -> None:
    try:
        assert absolute(path, HOME).is_absolute()
    except BadNameError:
        return


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800"])
def test_what_cannot_be_a_path_is_refused(path: str) -> None:
    with pytest.raises(BadNameError):
        absolute(path, HOME)
