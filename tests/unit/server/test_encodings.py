"""What bytes mean, and back."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.encodings import UTF8, Encoding, NotTextError, detect, with_line_ends_of

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXTS)
def test_what_is_utf_8_is_taken_for_it(text: str) -> None:
    data = text.removeprefix("\ufeff").encode()
    assert detect(data) == UTF8
    assert UTF8.encode(UTF8.decode(data)) == data


@given(TEXTS, st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]))
def test_a_file_with_a_byte_order_mark_is_read_and_written_back_as_it_was(text: str, codec: str) -> None:
    text = text.removeprefix("\ufeff")
    data = "\ufeff".encode(codec) + text.encode(codec)
    encoding = detect(data)
    assert encoding.decode(data) == text
    assert encoding.encode(text) == data


@given(st.binary())
def test_whatever_is_taken_for_text_survives_to_the_byte(data: bytes) -> None:
    try:
        encoding = detect(data)
    except NotTextError:
        return
    assert encoding.encode(encoding.decode(data)) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße\r\n".encode("latin-1"), "Grüße\r\n"),
        (b"\x80 5", "€ 5"),
        (b"\x81\xe4", "\x81ä"),
        (b"\x1b[1mbold\x1b[0m \xe4", "\x1b[1mbold\x1b[0m ä"),
    ],
)
def test_text_of_one_byte_a_character_is_read(data: bytes, text: str) -> None:
    assert detect(data).decode(data) == text


@pytest.mark.parametrize(
    "data",
    [b"\0", b"text\0more", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x01", codecs.BOM_UTF16_LE + b"\0\xd8"],
)
def test_what_is_no_text_is_not_taken_for_it(data: bytes) -> None:
    with pytest.raises(NotTextError):
        detect(data)


def test_what_an_encoding_cannot_hold_makes_the_file_utf_8_and_is_not_lost() -> None:
    assert Encoding("cp1252").encode("ä😀") == "ä😀".encode()


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("a\r\nb\r\n", "a\nc\n", "a\r\nc\r\n"),
        ("a\r\nb\r\n", "a\r\nc\n", "a\r\nc\n"),
        ("a\r\nb\n", "a\nc\n", "a\nc\n"),
        ("a\nb\n", "a\nc\n", "a\nc\n"),
        ("", "a\n", "a\n"),
    ],
)
def test_a_file_of_crlf_lines_stays_one(old: str, new: str, result: str) -> None:
    assert with_line_ends_of(old, new) == result
