"""Patterns for names, and the lines of `.gitignore` files."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal_server.search.gitignore import Ignored
from terminal_server.search.globs import Globs
from terminal_server.search.walking import walk


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", ["a.py", "x/y/a.py"], ["a.pyc", "a.py/b"]),
        ("a?c", ["abc"], ["ac", "abbc"]),
        ("[!a]b", ["cb"], ["ab"]),
        ("src/*.py", ["src/a.py"], ["a.py", "src/x/a.py", "x/src/a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["a.py", "src/a.ts"]),
        ("**/*.py", ["a.py", "x/a.py"], ["a.ts"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "a"]),
        ("**/x/**/y", ["x/y", "a/x/b/c/y"], ["y", "x", "a/y"]),
        ("*.{jpg,png}", ["a.jpg", "b/c.png"], ["a.{jpg,png}", "a.gif"]),
        ("{a,b}/{c,d}.x", ["a/c.x", "b/d.x"], ["a/e.x"]),
        ("/root/src/*.py", ["src/a.py"], ["a.py"]),
        ("./a*", ["ab"], ["ba"]),
        ("src/", ["src", "x/src"], ["src2"]),
        ("", [], ["a"]),
        ("[", ["["], ["a"]),
    ],
)
def test_a_pattern_is_for_names_or_for_paths(pattern: str, yes: list[str], no: list[str]) -> None:
    globs = Globs([pattern], "/root")
    for path in yes:
        assert globs.match(path.rsplit("/", 1)[-1], path), path
    for path in no:
        assert not globs.match(path.rsplit("/", 1)[-1], path), path


def test_braces_do_not_multiply_without_end() -> None:
    assert not Globs(["{a,b}" * 60], "/root").match("a" * 60 + "x", "a" * 60 + "x")


_NAMES = ["a", "b", "ab", "a.b", "#a", "!a", "a b", "b ", ".h", "[a]"]
_PARTS = st.sampled_from(
    [*_NAMES, "*", "**", "?", "a*", "*.b", "[ab]", "[!a]", "[^a]", r"\#a", r"\!a", r"b\ ", r"\*"]
)
_LINES = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "", "!", "/", "#"]),
    st.lists(_PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "/", " ", "\r", "  "]),
)
_PATHS = st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3).map("/".join)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    paths=st.lists(_PATHS, min_size=1, max_size=8),
    top=st.lists(_LINES, max_size=4),
    nested=st.lists(_LINES, max_size=3),
)
def test_what_is_ignored_is_what_git_ignores(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], top: list[str], nested: list[str]
) -> None:
    root = tmp_path_factory.mktemp("repository")
    _git(root, "init", "--quiet")
    for path in paths:
        _touch(root / path)
    (root / ".gitignore").write_text("\n".join(top), newline="")
    if (root / "a").is_dir():
        (root / "a" / ".gitignore").write_text("\n".join(nested), newline="")
    ignored = Ignored(str(root))
    seen = {
        entry.relative
        for entry in walk(str(root), lambda entry: not ignored.leaves_out(entry))
        if not entry.is_folder
    }
    assert seen == set(_git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")) - {""}


def test_a_search_inside_a_repository_heeds_what_stands_above(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet")
    (tmp_path / ".git/info/exclude").write_text("secret\n")
    (tmp_path / ".gitignore").write_text("/sub/out\n*.tmp\n")
    for name in ("sub/out", "sub/in", "sub/x.tmp", "sub/secret"):
        _touch(tmp_path / name)
    root = str(tmp_path / "sub")
    ignored = Ignored(root)
    assert [entry.name for entry in walk(root, lambda entry: not ignored.leaves_out(entry))] == ["in"]


def test_outside_of_a_repository_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    ignored = Ignored(str(tmp_path))
    assert not any(ignored.leaves_out(entry) for entry in walk(str(tmp_path)))


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
def test_a_gitignore_that_is_no_file_says_nothing(tmp_path: Path, kind: str) -> None:
    (tmp_path / ".git").mkdir()
    _touch(tmp_path / "a")
    place = tmp_path / ".gitignore"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(place)
    ignored = Ignored(str(tmp_path))
    assert not any(ignored.leaves_out(entry) for entry in walk(str(tmp_path)))


def _touch(path: Path) -> None:
    """Make a file, unless a file is where its folder, or a folder where it, would be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except (FileExistsError, NotADirectoryError):
        return


def _git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
