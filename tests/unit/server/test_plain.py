"""Terminal output as text to read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.shells.plain import plain


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b[38;5;9mx\x1b[m", "red x"),
        (b"\x1b]0;title\x07$ \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "$ link"),
        (b"\x1b[?2004h$ ls\r\n\x1b[?2004l\ra.txt", "$ ls\na.txt"),
        (b" 10%\r 50%\r100%\r\n", "100%\n"),
        (b"long line\rshort\x1b[K\r\n", "short\n"),
        (b"abc\x1b[2Kx", "   x"),
        (b"lss\b\x1b[K -l", "ls -l"),
        (b"a\x1b[3Cb\x1b[2Dc", "a  cb"),
        (b"before\x1b[H\x1b[2Jafter", "before\n\nafter"),
        (b"\x1b[5;1Hrow five\x1b[6;1Hrow six", "\nrow five\nrow six"),
        (b"\x1b(B\x1b=\x1b>\x1b7\x1b8kept", "kept"),
        (b"bell\x07 tab\tend\x00", "bell tab\tend"),
        ("half €".encode()[:-1], "half "),
        (b"bad \xff byte", "bad � byte"),
        (b"cut \x1b[1;3", "cut "),
        (b"cut \x1b", "cut "),
        (b"cut \x1b]0;tit", "cut "),
    ],
)
def test_it_is_what_is_left_to_read(printed: bytes, read: str) -> None:
    assert plain(printed) == read


@given(st.binary())
def test_it_holds_no_control_characters(printed: bytes) -> None:
    assert not set(plain(printed)) & (set(map(chr, range(32))) - {"\n", "\t"})


@given(st.integers(1, 10**12))
def test_a_cursor_sent_far_costs_little(count: int) -> None:
    assert len(plain(b"a\x1b[%dCb" % count)) < 1000
