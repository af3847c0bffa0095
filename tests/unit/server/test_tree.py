"""Finding a command's processes."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from terminal_server.engine import tree
from terminal_server.engine.marks import Mark, Marks


@pytest.fixture
def mark() -> Mark:
    with Marks().starting() as made:
        return made


@pytest.fixture
def other() -> Iterator[int]:
    """A process that leads a session, and bears no mark of a command."""
    with subprocess.Popen("cat", stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process.pid


def test_whoever_has_the_number_of_a_shell_that_was_collected_is_no_process_of_its_command(
    other: int, mark: Mark
) -> None:
    family = tree.Family(other, mark)
    assert family.living(tree.read_table(), led=False) == []
    assert [entry.pid for entry in family.living(tree.read_table(), led=True)] == [other]


def test_what_was_found_once_is_known_without_a_mark_when_the_shell_has_been_collected(
    other: int, mark: Mark
) -> None:
    family = tree.Family(other, mark)
    found = family.living(tree.read_table(), led=True)
    assert found
    assert family.living(tree.read_table(), led=False) == found


def test_all_of_a_session_belong_to_a_command_if_one_of_them_bears_its_mark() -> None:
    with Marks().starting() as mark, subprocess.Popen("cat", stdin=subprocess.PIPE) as child:
        family = tree.Family(os.getsid(child.pid), mark)
        found = {entry.pid for entry in family.living(tree.read_table(), led=False)}
        assert {child.pid, os.getpid()} <= found
