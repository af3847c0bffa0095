"""Names that are no text."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal_server.files.archive import _sane, _unique
from terminal_server.files.names import disposition, found, shown

NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: not set(name) & {0, 47} and name not in {b".", b".."}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(NAMES, min_size=1, max_size=3))
def test_what_is_shown_leads_back_to_the_file(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    place = tmp_path_factory.mktemp("names")
    file = Path(place, *map(os.fsdecode, names))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert found(Path(shown(file))) == file


def test_what_fits_two_files_is_an_error(tmp_path: Path) -> None:
    for name in (b"\xff", b"\xfe"):
        (tmp_path / os.fsdecode(name)).touch()
    with pytest.raises(OSError, match="2 files are shown as"):
        found(tmp_path / "\ufffd")


def test_what_is_not_there_is_left_as_it_is(tmp_path: Path) -> None:
    for path in (tmp_path / "\ufffd" / "x", tmp_path / "missing" / "\ufffd", tmp_path / "plain"):
        assert found(path) == path


@given(NAMES)
def test_a_header_with_a_name_is_always_one_line_of_ascii(name: bytes) -> None:
    header = disposition("inline", os.fsdecode(name))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@given(NAMES)
def test_a_name_in_an_archive_leads_nowhere_else(name: bytes) -> None:
    sane = _sane(os.fsdecode(name))
    assert not set(sane) & set("/\\")


def test_equal_names_in_an_archive_are_numbered() -> None:
    taken: set[str] = set()
    assert [_unique("a", taken) for _ in range(3)] == ["a", "a (2)", "a (3)"]
