"""A recorded process is believed only if it is still that very process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from localcluster import processes
from localcluster.processes import Identity


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def identity_of(process: subprocess.Popen[bytes]) -> Identity:
    found = processes.identity(process.pid)
    assert found
    return found


def test_a_live_process_is_found_again(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    processes.record(tmp_path / "record", identity_of(sleeper))
    assert processes.recorded(tmp_path / "record") == identity_of(sleeper)


def test_a_pid_given_out_again_is_not_believed(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    earlier = replace(identity_of(sleeper), started=identity_of(sleeper).started - 1)
    processes.record(tmp_path / "record", earlier)
    assert processes.recorded(tmp_path / "record") is None


def test_a_record_from_before_the_machine_was_started_is_not_believed(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    processes.record(tmp_path / "record", replace(identity_of(sleeper), boot="another"))
    assert processes.recorded(tmp_path / "record") is None


def test_a_dead_process_is_not_believed_even_as_a_zombie(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    processes.record(tmp_path / "record", identity_of(sleeper))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet waited for
    assert processes.recorded(tmp_path / "record") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "started": 1, "boot": "b"}', "12"])
def test_a_damaged_record_is_as_good_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "record").write_text(text)
    assert processes.recorded(tmp_path / "record") is None


def test_an_absent_record_is_no_error(tmp_path: Path) -> None:
    assert processes.recorded(tmp_path / "record") is None


def test_a_name_with_brackets_and_spaces_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        assert process.pid in processes.children(os.getpid())
        assert identity_of(process).started > 0
        process.kill()


def test_ending_a_process_spares_one_that_took_over_its_pid(sleeper: subprocess.Popen[bytes]) -> None:
    assert processes.end(replace(identity_of(sleeper), started=1), seconds=1)
    assert sleeper.poll() is None
    assert processes.end(identity_of(sleeper), seconds=5)


def test_processes_of_a_namespace_are_found_by_their_pid_inside() -> None:
    namespace = str(Path("/proc/self/ns/pid").readlink())
    assert processes.host_pids(namespace)[os.getpid()] == os.getpid()


def test_the_record_says_what_it_needs_and_no_more(tmp_path: Path) -> None:
    processes.record(tmp_path / "record", Identity(1, 2, "b"))
    assert json.loads((tmp_path / "record").read_text()) == {"pid": 1, "started": 2, "boot": "b"}
