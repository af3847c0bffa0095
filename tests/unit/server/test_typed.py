"""What a client sends to a command's input, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.commands.typed import meant, parts


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"yes\n", "yes\n"),
        (r"\x03", "\x03"),
        (r"a\tb\r\\n\x1b[A\u20ac\e", "a\tb\r\\n\x1b[A€\x1b"),
        (r"grep '\d\+' file", r"grep '\d\+' file"),
        (r"\ud800", r"\ud800"),
        ("print('a\\n')\n", "print('a\\n')\n"),
        ("\x03", "\x03"),
        ("", ""),
    ],
)
def test_written_out_escapes_are_read_in_text_without_a_real_control_character(sent: str, read: str) -> None:
    assert meant(sent) == read


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_is_meant_can_be_written_and_nothing_is_lost_of_it(text: str) -> None:
    keys = {"interrupt": b"\x03", "end": b"\x04"}
    read = meant(text)
    raw = [keys[part] if isinstance(part, str) else part for part in parts(read)]
    assert b"".join(raw) == read.encode()


def test_keys_come_in_order_between_what_is_written() -> None:
    assert list(parts("a\x03b\n\x04\x04")) == [b"a", "interrupt", b"b\n", "end", "end"]
