"""What every match must hold: with it, files are passed over unread, so it must never be wrong."""

import re
import string
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_server.search import literals

# Pieces of patterns, each with something that it matches.
PIECES = st.sampled_from(
    [
        ("a", "a"), ("ab", "ab"), ("k", "K"), ("S", "\u017f"), ("i", "i"), ("0", "0"), (" ", " "),
        ("é", "é"), ("漢", "漢"), (".", "x"), (r"\d", "1"), (r"\w", "z"), (r"\.", "."), (r"\(", "("),
        (r"\t", "\t"), (r"\x61", "a"), (r"\141", "a"), (r"\u0061b", "ab"), ("^", ""), ("$", ""),
        (r"\b", ""), (r"\]", "]"), ("]", "]"), ("}", "}"), ("[ab]", "b"), ("[^a]c", "bc"), ("[]a]", "]"),
        (r"[\]b]", "]"), ("[(]", "("), ("[|a]", "|"), ("[a-k]", "c"), ("a*", ""), ("ab*", "a"),
        ("a+", "aa"), ("ab?c", "ac"), ("ab*?c", "ac"), ("a{2}", "aa"), ("ba{0,1}", "b"), ("ba{,2}", "b"),
        ("ba{0}", "b"), ("a{", "a{"), ("a{}", "a{}"), ("a{b}", "a{b}"), ("a++", "a"), ("(?:)", ""),
        ("(?=a)a", "a"), ("(?<!b)", ""), ("(ab|c)", "c"), ("(?:ab)?", ""), ("(?P<n>a(b|c))d", "acd"),
        ("(?>ab)", "ab"), ("(a[)]b)c", "a)bc"), (r"(\))c", ")c"),
    ]
)  # fmt: skip
SEQUENCES = st.lists(PIECES, min_size=1, max_size=5).map(
    lambda pieces: tuple(map("".join, zip(*pieces, strict=True)))
)


@settings(max_examples=1000, deadline=None)
@given(alternatives=st.lists(SEQUENCES, min_size=1, max_size=3), ignore=st.booleans())
def test_a_line_that_matches_holds_one_of_the_texts(
    alternatives: list[tuple[str, str]], *, ignore: bool
) -> None:
    pattern = "|".join(pattern for pattern, _ in alternatives)
    needed = literals.of_regex(pattern, case_insensitive=ignore)
    try:
        search = re.compile(pattern, re.IGNORECASE if ignore else 0).search
    except re.error:  # a group's name twice
        return
    for line in (line for _, line in alternatives if needed is not None and search(line)):
        where = line.lower() if ignore else line
        assert any((text.lower() if ignore else text) in where for text in needed or ())


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("needle", ("needle",)),
        (r"def \w+\(self", ("(self",)),
        ("TODO|FIXME", ("TODO", "FIXME")),
        ("colou?r", ("colo",)),
        (r"a\.py$", ("a.py",)),
        ("(a|b)cd[ef]g", ("cd",)),
        ("漢字", ("漢字",)),
        ("gr\u00fcn", ("gr",)),
        ("f..r", ("f",)),
        (r"\d+", None),
        ("a|", None),
        ("(?i)needle", None),
        (r"\x61bc", None),
    ],
)
def test_the_longest_text_is_chosen(pattern: str, texts: tuple[str, ...] | None) -> None:
    assert literals.of_regex(pattern, case_insensitive=False) == texts


def test_letters_with_relatives_outside_of_ascii_are_not_relied_on_when_case_does_not_count() -> None:
    assert literals.of_text("KIS needle", case_insensitive=True) == (" needle",)
    others = "".join(map(chr, range(128, sys.maxunicode + 1)))
    for letter in string.ascii_letters:
        related = re.search(letter, others, re.IGNORECASE) is not None
        assert related == (literals.of_text(letter, case_insensitive=True) is None)
