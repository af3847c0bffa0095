"""The last output of a shell, and how a terminal is brought to where it was."""

import re

from hypothesis import given
from hypothesis import strategies as st
from terminal_server.shells.scrollback import Scrollback, safe_cut


def _scrollback(*pieces: bytes, limit: int = 10_000) -> Scrollback:
    made = Scrollback(limit)
    for piece in pieces:
        made.add(piece)
    return made


def test_it_keeps_the_last_lines_whole() -> None:
    made = _scrollback(*(b"line %d\r\n" % number for number in range(1000)), limit=100)
    content = made.content()
    assert len(content) <= 100
    assert re.match(rb"line \d+\r\n", content)
    assert content.endswith(b"line 999\r\n")


def test_less_of_it_begins_with_a_line_too() -> None:
    made = _scrollback(*(b"line %d\r\n" % number for number in range(100)))
    content = made.content(100)
    assert 80 < len(content) <= 100
    assert re.match(rb"line \d+\r\n", content)
    assert content.endswith(b"line 99\r\n")
    assert made.content(10_000) == made.content()
    made.add(b"it can still be added to")


@given(st.lists(st.binary(max_size=300)), st.integers(1, 200))
def test_it_is_never_larger_than_it_may_be_and_always_the_end(pieces: list[bytes], limit: int) -> None:
    made = _scrollback(*pieces, limit=limit)
    assert len(made.content()) <= limit
    assert b"".join(pieces).endswith(made.content())


@given(st.text(min_size=1), st.data())
def test_it_is_never_cut_inside_a_character(text: str, data: st.DataObject) -> None:
    encoded = bytearray(text.encode())
    cut = safe_cut(encoded, data.draw(st.integers(1, len(encoded))))
    assert text.endswith(encoded[cut:].decode())


@given(
    st.lists(
        st.sampled_from(["word", "\x1b[38;5;12m", "\x1b[0m", "\x1b[?2004h", "é", "\x1b[10;20H"]), min_size=1
    ),
    st.data(),
)
def test_it_is_never_cut_inside_an_escape_sequence(parts: list[str], data: st.DataObject) -> None:
    encoded = bytearray("".join(parts).encode())
    cut = safe_cut(encoded, data.draw(st.integers(1, len(encoded))))
    begun = encoded[:cut].rfind(b"\x1b")
    assert begun < 0 or re.match(rb"\x1b\[[0-?]*[@-~]", encoded[begun:cut])


def test_a_switch_that_was_turned_before_the_beginning_is_turned_again() -> None:
    made = _scrollback(b"\x1b[?1049h\x1b[?2004;1000h\x1b=\x1b[?25l", b"\x1b[?1000l", b"x" * 500, limit=400)
    replay = made.replay()
    assert replay.startswith(b"\x1bc")
    for on in (b"\x1b[?1049h", b"\x1b[?2004h", b"\x1b=", b"\x1b[?25l"):
        assert on in replay
    assert b"1000" not in replay
    assert made.full_screen


def test_a_switch_that_was_turned_back_leaves_no_trace() -> None:
    made = _scrollback(b"\x1b[?1049h\x1b[?25l", b"\x1b[?1049l\x1b[?25h\x1b[?7h", b"x" * 500, limit=400)
    assert not made.full_screen
    assert made.replay().startswith(b"\x1bcx")


def test_a_reset_turns_all_switches_back() -> None:
    made = _scrollback(b"\x1b[?1049h\x1b[?2004h", b"\x1bc", b"x" * 500, limit=400)
    assert made.replay().startswith(b"\x1bcx")


def test_questions_to_the_terminal_are_not_asked_again() -> None:
    questions = [
        b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[14t",
        b"\x1b[18t", b"\x1b[?2026$p", b"\x1b[>q", b"\x1b[>0q", b"\x1b[?u", b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\",
        b"\x1b]4;1;?\x07", b"\x1b]52;c;?\x07", b"\x1bP+q544e\x1b\\", b"\x1bP$qm\x1b\\", b"\x05",
    ]  # fmt: skip
    for question in questions:
        assert _scrollback(b"a" + question + b"b").replay() == b"\x1bcab", question


def test_what_is_no_question_stays() -> None:
    kept = b"\x1b[1;31m\x1b[2J\x1b]0;title\x07\x1b[22;0t\x1b[H\x1b[10;10r\x1b[?25h\x1b(B"
    assert _scrollback(kept).replay() == b"\x1bc" + kept


def test_a_program_that_waits_for_a_line_is_not_full_screen() -> None:
    assert not _scrollback(b"$ vi\x1b[?1049h\x1b[?1049l$ ").full_screen
