"""Terminal output as text to read."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.shells.plain import plain

_MOST = 64 * 1024


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
        (b"abcdef\r\x1b[2CX", "abXdef"),
        (b"abc\x1b[9Ddef\x1b[3C", "def"),
        (b"a\x1b[999C\x1b[999Cb\x1b[9C", "a" + 499 * " " + "b"),
        (b"x" * 600 + b"\x1b[9Cy\r", "x" * 600 + "y"),
        (b"a\x1c\x1d\xc4\x81b", "aāb"),
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
    assert plain(printed, _MOST) == read


@given(st.binary())
def test_it_holds_no_control_characters(printed: bytes) -> None:
    assert not set(plain(printed, _MOST)) & (set(map(chr, range(32))) - {"\n", "\t"})


@given(st.integers(1, 10**12))
def test_a_cursor_sent_far_costs_little(count: int) -> None:
    assert len(plain(b"a\x1b[%dCb" % count, _MOST)) < 1000


@given(st.text("ab\r\n\b", max_size=30), st.integers(1, 40))
def test_of_much_the_end_is_returned(printed: str, most: int) -> None:
    assert plain(printed.encode(), most) == plain(printed.encode(), _MOST)[-most:]


@pytest.mark.parametrize("printed", [b"\x1b[500C", b"\r\x1b[500Cx", b"\x1b[500Cx\n", b"\x1b[500D", b"\n"])
def test_what_a_few_bytes_ask_for_takes_little_memory(printed: bytes) -> None:
    output = b"\r" + printed * (256 * 1024 // len(printed))
    tracemalloc.start()
    try:
        assert len(plain(output, _MOST)) <= _MOST
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
