"""Files are whole or absent; equal content has an equal name."""

from pathlib import Path

import pytest
from localcluster import files


def test_a_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with files.building(target) as unfinished:
        (unfinished / "a").write_text("a")
        assert not target.exists()
    assert (target / "a").read_text() == "a"
    assert list(tmp_path.iterdir()) == [target]


def fail_in_the_middle(target: Path) -> None:
    with files.building(target) as unfinished:
        (unfinished / "a").write_text("half")
        raise KeyboardInterrupt


def test_a_failed_try_leaves_the_old_folder_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with files.building(target) as unfinished:
        (unfinished / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fail_in_the_middle(target)
    assert (target / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_try_left_is_removed_by_the_next(tmp_path: Path) -> None:
    leftover = tmp_path / "made.unfinished-0123"
    (leftover / "locked").mkdir(parents=True)
    (leftover / "locked" / "file").touch()
    (leftover / "locked").chmod(0o500)  # as Go's module cache is
    with files.building(tmp_path / "made"):
        assert not leftover.exists()


def test_a_written_file_replaces_the_old_one_whole_and_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    files.write(path, "old")
    files.write(path, "new", mode=0o600)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_tells_where_one_part_ends() -> None:
    assert files.content_key(["ab", "c"]) != files.content_key(["a", "bc"])
    assert files.content_key(["ab", b"c"]) == files.content_key([b"ab", "c"])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_text("text")
    (root / "run").write_text("#!/bin/sh\n")
    return root


def key(tree: Path) -> str:
    return files.content_key(files.tree_parts(tree, frozenset({"__pycache__"})))


def test_the_key_of_a_tree_depends_on_content_names_and_modes(tree: Path) -> None:
    keys = {key(tree)}
    (tree / "sub" / "file").write_text("other")
    keys.add(key(tree))
    (tree / "sub" / "file").rename(tree / "sub" / "renamed")
    keys.add(key(tree))
    (tree / "run").chmod(0o755)
    keys.add(key(tree))
    (tree / "link").symlink_to("run")
    keys.add(key(tree))
    assert len(keys) == 5


def test_the_key_of_a_tree_does_not_depend_on_caches_or_times(tree: Path) -> None:
    before = key(tree)
    (tree / "sub" / "__pycache__").mkdir()
    (tree / "sub" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (tree / "run").touch()
    assert key(tree) == before
