"""Tokens of links."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.files.links import LIFETIME_SECONDS, Links


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@given(st.text())
def test_a_token_carries_its_path_in_characters_a_url_can_hold(path: str) -> None:
    links = Links()
    token = links.token("download", path)
    assert links.path("download", token) == path
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_token_is_good_for_five_minutes() -> None:
    clock = Clock()
    links = Links(clock)
    token = links.token("upload", "/x")
    clock.now += LIFETIME_SECONDS
    assert links.path("upload", token) == "/x"
    clock.now += 0.001
    assert links.path("upload", token) is None
    assert LIFETIME_SECONDS == 300


def test_a_token_is_good_for_its_purpose_only() -> None:
    links = Links()
    assert links.path("download", links.token("upload", "/x")) is None


def test_a_token_of_another_process_is_worth_nothing() -> None:
    assert Links().path("upload", Links().token("upload", "/x")) is None


@given(st.text(st.characters()))
def test_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert Links().path("upload", text) is None


@pytest.mark.parametrize("position", range(0, 90, 7))
def test_a_changed_token_is_worth_nothing(position: int) -> None:
    links = Links()
    token = links.token("upload", "/some/path")
    changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
    assert links.path("upload", changed) is None


def test_any_number_of_links_uses_no_memory() -> None:
    links = Links()
    before = dict(vars(links))
    for number in range(1000):
        links.token("upload", str(number))
    assert vars(links) == before
