"""Knowing a command's processes by what they inherited."""

import resource
import subprocess
from collections.abc import Iterator

import pytest
from terminal_server.engine import marks


@pytest.fixture
def mark() -> int:
    return marks.new()


@pytest.fixture
def child(mark: int) -> Iterator[subprocess.Popen[str]]:
    """A process without an environment, in a session of its own, whose parent has the mark."""
    with (
        marks.inherited(mark),
        subprocess.Popen(
            ["sh", "-c", "env -i setsid sh -c 'echo ready; cat'; true"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_a_mark_is_inherited_without_an_environment(child: subprocess.Popen[str], mark: int) -> None:
    assert marks.bears(child.pid, mark)
    found = subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True, check=True)
    assert all(marks.bears(int(pid), mark) for pid in found.stdout.split())


def test_other_marks_are_not_its_own(child: subprocess.Popen[str]) -> None:
    assert not marks.bears(child.pid, marks.new())


def test_what_is_started_later_does_not_inherit_it(mark: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_RTTIME)
    with marks.inherited(mark):
        assert resource.getrlimit(resource.RLIMIT_RTTIME)[0] == mark
    assert resource.getrlimit(resource.RLIMIT_RTTIME) == before


def test_where_the_limit_cannot_be_set_the_environment_tells(
    monkeypatch: pytest.MonkeyPatch, mark: int
) -> None:
    def refuse(_limit: int, _values: tuple[int, int]) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    environment = {marks.VARIABLE: marks.variable(mark), "PATH": "/usr/bin:/bin"}
    with (
        marks.inherited(mark),
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=environment) as process,
    ):
        assert marks.bears(process.pid, mark)
        assert not marks.bears(process.pid, marks.new())


def test_a_process_that_has_ended_bears_none(mark: int) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert not marks.bears(process.pid, mark)
