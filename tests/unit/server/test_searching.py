"""Searches give one answer: the one a plain reading of every file gives, with ripgrep and without it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_server.files.names import shown
from terminal_server.search import finder, walking, worker
from terminal_server.search.tasks import Answer

RIPGREP = shutil.which("rg") or ""
GREP = {"regex": True, "case_insensitive": False, "include": [], "match_per_line": True, "max_results": 500}
MATCHES = {"show_hidden": True, "offset": 0, "limit": 100}

_NAMES = st.sampled_from(["a", "B", "a+", "-x", "--help", "ü", "\udcff", " ", ".h", "needle", "c.py", "*"])
_CONTENTS = st.one_of(
    st.lists(
        st.sampled_from(
            [
                "needle",
                "Needle",
                "nee",
                "dle",
                "\u017f",
                "K",
                "k",
                "İ",
                "i",
                "é",
                "漢",
                " ",
                "\r",
                "12",
                "\t",
                "\x0b",
                "\u2028",
            ]
        ).map(str.encode)
        | st.sampled_from([b"\n", b"\r\n", b"\xe9", b"\xff", b"\0", b"\xef\xbb\xbf", b"\x81"]),
        max_size=12,
    ).map(b"".join),
    st.sampled_from(
        [b"", b"\n", "needle é\n漢".encode("utf-16"), b"\xff\xfeneedle", b"\xff\xfen", b"\xfe\xff\0n\0e\0e"]
    ),
)
_TREES = st.dictionaries(
    st.lists(_NAMES, min_size=1, max_size=3).map("/".join), _CONTENTS, min_size=1, max_size=8
)
_QUERIES = st.sampled_from(
    ["needle", "Needle|k", r"n.*d", r"\d+", "^nee", "dle$", "(?i)K", "é", "漢", "i", "s", r"\s", "", "a|",
     "[^n]e+", "ü|\u017f",
     r"(.)\1", "(?=n)n", r"\x6eee", "K", "x{0}nee", "--", "\ufffd", "ÿ", "\u2028"]
)  # fmt: skip


@pytest.fixture(autouse=True)
def _ripgrep_for_few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "_FIRST_BATCH", 1)


@pytest.fixture
def rest_is_searched_by_ripgrep() -> None:
    assert RIPGREP, "ripgrep is wanted for these tests: `make setup` installs it"


def plant(root: Path, tree: dict[str, bytes]) -> None:
    """Write a tree; what cannot be where something else is is left out."""
    for name, content in tree.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue


def answer(kind: str, root: Path, ripgrep: str | None, **task: Any) -> dict[str, Any]:
    """Do a search in this process."""
    place = {"path": str(root), "unseen": []}
    return worker.done({"kind": kind, **place, "seconds": 60, "ripgrep": ripgrep, **task})


def expected_lines(root: Path, query: str, *, ignore: bool) -> list[tuple[str, int, str]]:
    """Read every file, in the simplest way there is."""
    search = re.compile(query, re.IGNORECASE if ignore else 0).search
    paths: list[Path] = []
    for folder, folders, names in os.walk(root):
        folders.sort(key=hidden_last)
        paths += [Path(folder, name) for name in sorted(names, key=hidden_last)]
    return [
        (shown(str(path)), number, line.removesuffix("\r"))
        for path in paths
        for number, line in enumerate(read(path.read_bytes()), 1)
        if search(line.removesuffix("\r"))
    ]


def hidden_last(name: str) -> tuple[bool, bytes]:
    """The order of names."""
    return name.startswith("."), os.fsencode(name)


def read(data: bytes) -> list[str]:
    """Return the lines of a file; what is no text has none."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError:
            return []
    data = data.removeprefix(b"\xef\xbb\xbf")
    return (
        [] if b"\0" in data or not data else [decoded(line) for line in data.removesuffix(b"\n").split(b"\n")]
    )


def decoded(line: bytes) -> str:
    """Decode a line as UTF-8, or as what a Windows of old would have written."""
    try:
        return line.decode()
    except UnicodeError:
        if re.search(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]", line):
            return ""
    try:
        return line.decode("cp1252")
    except UnicodeError:
        return line.decode("latin-1")


@settings(max_examples=250, deadline=None)
@given(tree=_TREES, query=_QUERIES, ignore=st.booleans())
@pytest.mark.usefixtures("rest_is_searched_by_ripgrep")
def test_grep_finds_the_same_with_and_without_ripgrep_and_by_plain_reading(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], query: str, *, ignore: bool
) -> None:
    root = tmp_path_factory.mktemp("tree")
    plant(root, tree)
    task = {**GREP, "query": query, "case_insensitive": ignore}
    without = answer("grep", root, None, **task)
    assert answer("grep", root, RIPGREP, **task) == without
    found = [(one["file"], one["line"], one["content"]) for one in without["items"]]
    assert found == expected_lines(root, query, ignore=ignore)


@settings(max_examples=150, deadline=None)
@given(tree=_TREES, query=st.sampled_from(["needle", "K", "i", "é", "漢", "a", "nee", "c.p", "\ufffd"]))
@pytest.mark.usefixtures("rest_is_searched_by_ripgrep")
def test_matches_are_the_same_with_and_without_ripgrep(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], query: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    plant(root, tree)
    task = {**MATCHES, "query": query}
    without = answer("matches", root, None, **task)
    assert answer("matches", root, RIPGREP, **task) == without
    named = {one["relative_path"] for one in without["items"] if one["name_match"]}
    below = [path.relative_to(root) for path in root.rglob("*")]
    assert named == {shown(path) for path in below if query.lower() in str(path).lower()}


@pytest.mark.usefixtures("rest_is_searched_by_ripgrep")
def test_a_tree_with_everything_in_it_is_the_same_with_and_without_ripgrep(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {f"many/{number}": b"needle\n" * (number % 3) for number in range(300)}
        | {
            "huge line": b"x" * 3_000_000 + b"needle" + b"y" * 3_000_000 + b"\nneedle",
            "huge/line without end": b"x" * 10_000_000 + b"needle",
            "crlf": b"needle\r\nneedle\r\n",
            "late binary": b"needle\n" + b"x\n" * 1_000_000 + b"\0needle\n",
            ".hidden/needle": b"needle",
            ".git/x": b"needle",
        },
    )
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("crlf")
    for most in (1, 2, 63, 64, 65, 200, 500):
        for kind, task in (("grep", GREP | {"max_results": most}), ("matches", MATCHES | {"limit": most})):
            without = answer(kind, tmp_path, None, query="needle", **task)
            assert answer(kind, tmp_path, RIPGREP, query="needle", **task) == without
            assert len(without["items"]) == min(most, {"grep": 307, "matches": 205}[kind])


def test_a_ripgrep_that_fails_changes_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {str(number): b"needle" for number in range(5)})
    broken = tmp_path / "rg"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)
    for ripgrep in (str(broken), str(tmp_path / "1"), "/nowhere/rg"):
        assert len(answer("grep", tmp_path, ripgrep, query="needle", **GREP)["items"]) == 5


@pytest.mark.usefixtures("rest_is_searched_by_ripgrep")
def test_ripgreps_own_settings_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {str(number): b"needle" for number in range(5)} | {"rc": b"--invert-match\n"})
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", str(tmp_path / "rc"))
    assert len(answer("grep", tmp_path, RIPGREP, query="needle", **GREP)["items"]) == 5


def test_what_may_not_be_read_is_passed_over(tmp_path: Path) -> None:
    plant(tmp_path, {"a/x": b"needle", "b/x": b"needle", "c": b"needle"})
    (tmp_path / "a").chmod(0)
    (tmp_path / "c").chmod(0)
    code = f"from terminal_server.search import worker; print(worker.done({_task(tmp_path)!r}))"
    command = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(0o755)
        tmp_path.chmod(0o755)
        command = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--bounding-set=-all",
            *command,
        ]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert f"'file': '{tmp_path}/b/x'" in ran.stdout
    assert ran.stdout.count("'file'") == 1
    (tmp_path / "a").chmod(0o755)


def _task(root: Path) -> dict[str, Any]:
    return {
        "kind": "grep",
        "path": str(root),
        "unseen": [],
        "seconds": 60,
        "ripgrep": RIPGREP or None,
        "query": "needle",
        **GREP,
    }


def test_the_kernels_own_files_are_not_entered_on_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(tmp_path, {"proc/x": b"", "home/x": b""})
    monkeypatch.setattr(walking, "_NOT_FILES", {str(tmp_path / "proc")})
    assert [entry.relative for entry in walking.walk(str(tmp_path))] == ["home", "proc", "home/x"]
    assert [entry.relative for entry in walking.walk(str(tmp_path / "proc"))] == ["x"]


def test_a_search_without_memory_gives_what_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def exhausted(_task: dict[str, Any], answer: Answer) -> None:
        answer.items.append({})
        raise MemoryError

    monkeypatch.setitem(worker._TASKS, "grep", exhausted)  # noqa: SLF001 - what the worker would do
    assert answer("grep", tmp_path, None) == {"items": [{}], "truncated": True, "next_offset": None}


def test_a_long_line_is_searched_up_to_its_limit_and_what_follows_it_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"x": b"a" * 40_000_000 + b"needle\nneedle"})
    found = answer("grep", tmp_path, None, query="needle", **GREP)
    assert [(one["line"], one["content"]) for one in found["items"]] == [(2, "needle")]
