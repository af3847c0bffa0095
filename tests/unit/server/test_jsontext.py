"""Text in pieces."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from terminal_server.commands.jsontext import Escaper, TextDecoder, line


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Bytes, often text, cut anywhere."""
    data = draw(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode())))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=10)))
    return [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]


@given(pieces())
def test_text_is_the_same_however_its_bytes_were_cut(chunks: list[bytes]) -> None:
    whole = b"".join(chunks).decode(errors="replace")
    decoder = TextDecoder()
    assert "".join(map(decoder.decode, chunks)) + decoder.decode(b"", final=True) == whole
    escaper = Escaper()
    inside = b"".join(map(escaper.add, chunks)) + escaper.add(b"", final=True)
    assert json.loads(b'"' + inside + b'"') == whole


@given(st.text())
def test_a_line_of_a_stream_is_one_line_of_json(text: str) -> None:
    written = line("stdout", text)
    assert written.count(b"\n") == 1
    assert json.loads(written) == {"type": "stdout", "data": text}
