"""Replacing strings in a text."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from terminal_server.files.replacing import ReplaceError, Replacement, replaced

PIECES = st.text("ab\n", max_size=12)
RAW = st.text("ab\r\n", max_size=30)


def one(target: str, replacement: str, **options: int | bool) -> list[Replacement]:
    return [Replacement(target, replacement, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "target", "replacement", "result"),
    [
        ("a b c", "b", "x", "a x c"),
        ("a\r\nb\r\nc\r\n", "a\nb", "x\ny", "x\r\ny\r\nc\r\n"),
        ("a\r\nb\r\n", "b", "x\ny", "a\r\nx\r\ny\r\n"),
        ("a\nb\n", "a\nb", "x\ny", "x\ny\n"),
        ("a\r\nb\nc\n", "b\nc", "x\ny", "a\r\nx\ny\n"),
        ("a\r\nb\nc\n", "a\nb", "x\ny", "x\r\ny\nc\n"),
        ("a\r\nb\r\n", "a\r\nb", "a\nb", "a\nb\r\n"),
        ("a\nb", "\n", "\r\n", "a\r\nb"),
        ("a\r\nb", "\nb", "", "a"),
        ("a\r\r\nb", "\r\nb", "", "a\r"),
        ("äöü", "ö", "", "äü"),
    ],
)
def test_a_string_is_replaced_and_line_ends_are_those_of_the_place(
    text: str, target: str, replacement: str, result: str
) -> None:
    assert replaced(text, one(target, replacement)) == result


@given(RAW, PIECES, PIECES)
def test_of_a_crlf_file_every_line_stays_crlf(text: str, target: str, replacement: str) -> None:
    text = text.replace("\r", "").replace("\n", "\r\n")
    assume(target and "\r\n" in text)
    plain = text.replace("\r\n", "\n")
    if target not in plain:
        with pytest.raises(ReplaceError):
            replaced(text, one(target, replacement, allow_multiple=True))
        return
    result = replaced(text, one(target, replacement, allow_multiple=True))
    assert result == plain.replace(target, replacement).replace("\n", "\r\n")


@given(RAW, st.data())
def test_a_part_replaced_by_itself_changes_nothing(text: str, data: st.DataObject) -> None:
    assume(text)
    begin = data.draw(st.integers(0, len(text) - 1))
    target = text[begin : data.draw(st.integers(begin + 1, len(text)))]
    assume("\r" in target or "\n" not in target or "\r" not in text)
    assert replaced(text, one(target, target, allow_multiple=True)) == text


@given(RAW, st.lists(st.text("ab", min_size=1, max_size=2), max_size=3), st.text("xy", max_size=3))
def test_several_replacements_are_made_one_after_the_other(
    text: str, targets: list[str], replacement: str
) -> None:
    expected = text
    for target in targets:
        assume(target in expected)
        expected = expected.replace(target, replacement)
    wanted = [Replacement(target, replacement, allow_multiple=True) for target in targets]
    assert replaced(text, wanted) == expected


@pytest.mark.parametrize(
    ("first", "last", "result"),
    [(2, 2, "a\nx\na\n"), (2, None, "a\nx\nx\n"), (None, 1, "x\na\na\n"), (3, 100, "a\na\nx\n")],
)
def test_lines_narrow_where_is_looked(first: int | None, last: int | None, result: str) -> None:
    wanted = [Replacement("a", "x", start_line=first, end_line=last, allow_multiple=True)]
    assert replaced("a\na\na\n", wanted) == result


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (one("z", ""), r"replacements\[0\]: the target was not found: 'z'"),
        (one("a", ""), r"found 3 times, in lines 1, 2, 4"),
        (one("b", "", start_line=1, end_line=2), r"not found in the lines 1 to 2; it is in lines 3"),
        (one("z", "", end_line=2), r"not found in the lines 1 to 2, nor anywhere else"),
        (one("a", "", start_line=9), r"there is no line 9, only 5"),
        (one("a", "", start_line=3, end_line=2), r"end_line 2 is before start_line 3"),
        ([*one("b", "z"), *one("b", "z")], r"replacements\[1\]: the target was not found"),
        (one("z" * 500, ""), r"'z{100}…'"),
    ],
)
def test_an_error_says_which_replacement_and_where(wanted: list[Replacement], message: str) -> None:
    with pytest.raises(ReplaceError, match=message):
        replaced("a\na\nb\na\n", wanted)


def test_many_line_ends_take_no_time_that_grows_with_their_square() -> None:
    text = "\r\n" * 300_000 + "x"
    assert replaced(text, one("\n" * 1000 + "x", "y")) == "\r\n" * 299_000 + "y"
    with pytest.raises(ReplaceError):
        replaced(text, one("\n" * 1000 + "z", "y"))
