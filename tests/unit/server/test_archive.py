"""Archives of more than there may be in one."""

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from terminal_server.files import archive
from terminal_server.files.archive import NOTE, Archive

_MOST = 50


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have archives take few entries."""
    monkeypatch.setattr(archive, "MOST_ENTRIES", _MOST)


def _made(*paths: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(Archive(paths).chunks())))


def _fill(folder: Path, number: int) -> None:
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    for one in range(number):
        os.close(os.open(f"{one:05}", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


def test_of_a_folder_with_too_many_files_the_first_are_taken_and_the_rest_is_one_line(tmp_path: Path) -> None:
    _fill(tmp_path / "full", 3 * _MOST)
    made = _made(tmp_path / "full")
    taken = [f"full/{one:05}" for one in range(_MOST - 1)]
    assert made.namelist() == ["full/", *taken, NOTE]
    reason = f"not all that is in it, since there are more than {_MOST} files"
    assert made.read(NOTE).decode() == f"full/: {reason}\n"


def test_what_fits_exactly_is_all_there(tmp_path: Path) -> None:
    _fill(tmp_path / "full", _MOST - 3)
    _fill(tmp_path / "full" / "folder", 1)
    made = _made(tmp_path / "full")
    assert len(made.namelist()) == _MOST
    assert NOTE not in made.namelist()


def test_a_folder_in_a_folder_takes_no_place_of_what_comes_after_it(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "z").touch()
    _fill(tmp_path / "top" / "a", 3 * _MOST)
    _fill(tmp_path / "other", 2)
    made = _made(tmp_path / "top", tmp_path / "other")
    assert len(made.namelist()) == _MOST + 1
    assert "top/z" in made.namelist()
    assert made.read(NOTE).decode().splitlines()[1:] == [f"other: more than {_MOST} files"]


def test_the_memory_for_an_archive_does_not_grow_with_the_folder(tmp_path: Path) -> None:
    _fill(tmp_path / "full", 20_000)
    tracemalloc.start()
    try:
        for _ in Archive([tmp_path / "full"]).chunks():
            pass
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
