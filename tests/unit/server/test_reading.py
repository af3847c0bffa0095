"""Reading lines of a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.encodings import NotTextError
from terminal_server.files import reading
from terminal_server.files.reading import LineReader, Lines, TooMuchError


def read(path: Path, first: int = 1, last: int | None = None, limit: int = 1 << 20) -> Lines:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        reader = LineReader(descriptor, first=first, last=last, limit_bytes=limit)
        while not reader.step():
            pass
        return reader.lines()
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reading") / "file"


@pytest.fixture(autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BLOCK", 5)
        yield


@given(
    text=st.text(st.sampled_from("aä€😀\r\n"), max_size=20),
    first=st.integers(1, 8),
    more=st.none() | st.integers(0, 8),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_lines_are_those_an_editor_counts_however_they_are_cut_up(
    file: Path, text: str, first: int, more: int | None, codec: str
) -> None:
    file.write_bytes(text.encode(codec))
    last = None if more is None else first + more
    lines = text.split("\n")
    pieces = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    assert read(file, first, last) == Lines("".join(pieces[first - 1 : last]), len(pieces))


def test_more_than_the_limit_is_an_error_and_never_a_part(file: Path) -> None:
    file.write_text("12345\n" * 10)
    assert read(file, 3, 4, limit=12).content == "12345\n12345\n"
    with pytest.raises(TooMuchError):
        read(file, 3, 4, limit=11)


@pytest.mark.parametrize("data", [b"text\n\0", b"\xff\xfe\0", b"\xff\xfe\0\xd8a\0"])
def test_what_is_no_text_is_told(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(NotTextError):
        read(file)
