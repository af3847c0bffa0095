"""Knowing a command's processes by what they inherited."""

import contextlib
import resource
import subprocess
from collections.abc import Iterator

import pytest
from terminal_server.engine import marks
from terminal_server.engine.marks import Mark, Marks

Child = subprocess.Popen[str]


@contextlib.contextmanager
def _child() -> Iterator[Child]:
    """A process without an environment, in a session of its own."""
    with subprocess.Popen(
        ["sh", "-c", "env -i setsid sh -c 'echo ready; cat'; true"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def _family(child: Child) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True, check=True)
    return [child.pid, *map(int, found.stdout.split())]


@pytest.fixture
def mark() -> Mark:
    with Marks().starting() as made:
        return made


def test_a_mark_is_inherited_without_an_environment() -> None:
    with Marks().starting() as mark, _child() as child:
        assert all(map(mark.is_on, _family(child)))


def test_other_marks_are_not_its_own(mark: Mark) -> None:
    with Marks().starting(), _child() as child:
        assert not any(map(mark.is_on, _family(child)))


def test_what_a_command_starts_when_it_has_been_marked_inherits_its_own() -> None:
    with Marks().starting() as mark, subprocess.Popen("cat", stdin=subprocess.PIPE) as process:
        marks.put_on(process.pid, mark.own)
        assert mark.is_on(process.pid)
        assert resource.prlimit(process.pid, resource.RLIMIT_RTTIME)[0] == mark.own


def test_commands_that_begin_at_the_same_time_are_told_apart_when_they_have_been_marked() -> None:
    both = Marks()
    with both.starting() as one, both.starting() as other, _child() as child:
        assert not one.is_on(child.pid)
        assert not other.is_on(child.pid)
        marks.put_on(child.pid, other.own)
        assert not one.is_on(child.pid)
        assert other.is_on(child.pid)
    with both.starting() as later, _child() as child:
        assert later.is_on(child.pid)
        assert not one.is_on(child.pid)


def test_what_is_started_later_does_not_inherit_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_RTTIME)
    marked = Marks()
    with marked.starting(), marked.starting():
        assert resource.getrlimit(resource.RLIMIT_RTTIME)[0] != before[0]
    assert resource.getrlimit(resource.RLIMIT_RTTIME) == before


def test_where_the_limit_cannot_be_set_the_environment_tells(
    monkeypatch: pytest.MonkeyPatch, mark: Mark
) -> None:
    def refuse(_limit: int, _values: tuple[int, int]) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with Marks().starting() as made:
        environment = {marks.VARIABLE: made.variable, "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=environment) as process:
            assert made.is_on(process.pid)
            assert not mark.is_on(process.pid)


def test_a_process_that_has_ended_bears_none() -> None:
    with Marks().starting() as mark:
        process = subprocess.Popen(["true"])
        process.wait()
        assert not mark.is_on(process.pid)
