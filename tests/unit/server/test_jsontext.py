"""Text in pieces."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from terminal_server.commands.jsontext import Escaper, exit_line, line


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Bytes, often text, cut anywhere."""
    data = draw(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode())))
    # Much of ASCII is treated apart.
    data += draw(st.sampled_from([b"", b"a\tb\n" * 5000, b'"\\\0\x7f' * 5000]))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=10)))
    return [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]


@given(pieces())
def test_text_is_the_same_however_its_bytes_were_cut(chunks: list[bytes]) -> None:
    whole = b"".join(chunks).decode(errors="replace")
    escaper = Escaper()
    inside = b"".join(map(escaper.add, chunks)) + escaper.add(b"", final=True)
    assert json.loads(b'"' + inside + b'"') == whole


@given(st.text())
def test_a_line_of_a_stream_is_one_line_of_json(text: str) -> None:
    written = line("stdout", Escaper().add(text.encode(errors="replace"), final=True))
    assert written.count(b"\n") == 1
    assert json.loads(written) == {"type": "stdout", "data": text.encode(errors="replace").decode()}


def test_the_last_line_of_a_stream_is_the_exit_code() -> None:
    assert json.loads(exit_line(-1)) == {"type": "exit", "data": -1}


@given(st.sampled_from(range(128)), st.integers(0, 9999))
def test_every_character_of_ascii_is_right_wherever_it_stands_in_much_output(code: int, place: int) -> None:
    data = bytearray(b"x" * 10_000)
    data[place] = code
    assert json.loads(b'"' + Escaper().add(bytes(data)) + b'"') == data.decode()


def test_a_character_that_is_cut_is_whole_though_much_ascii_follows() -> None:
    escaper = Escaper()
    inside = escaper.add("ä".encode()[:1]) + escaper.add(b"x" * 10_000, final=True)
    assert json.loads(b'"' + inside + b'"') == "\ufffd" + "x" * 10_000
