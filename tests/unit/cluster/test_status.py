"""What `status` says."""

import io
import json
import re

import pytest
from localcluster import progress
from localcluster.status import Row, Status

GOOD = Row("etcd", up=True, state="running", restarts=0, pid=7, uptime=12.3)
BAD = Row(
    "kubelet", up=False, state="backoff", restarts=3, last_end="exited with status 1", last_lines=("why",)
)


def status(*rows: Row) -> Status:
    return Status("mine", "native", rows, "/k", "http://127.0.0.1:1")


def test_it_is_up_only_if_everything_is() -> None:
    assert status(GOOD).up
    assert not status(GOOD, BAD).up
    assert not status().up


def test_each_component_has_a_line_and_a_dead_one_its_last_words() -> None:
    lines = status(GOOD, BAD).as_text().splitlines()
    assert lines[0] == "cluster mine (native): NOT up"
    assert lines[1].split() == ["ok", "etcd", "running", "0", "restarts,", "pid", "7,", "12", "s"]
    assert "3 restarts, last: exited with status 1" in lines[2]
    assert lines[3:] == ["last lines of kubelet:", "    why"]


def test_a_program_gets_the_same_facts() -> None:
    said = json.loads(status(GOOD, BAD).as_json())
    assert said["up"] is False
    assert [row["name"] for row in said["rows"]] == ["etcd", "kubelet"]
    assert said["rows"][1]["last_end"] == "exited with status 1"


def test_a_step_ends_with_its_time_and_a_failed_one_says_so() -> None:
    out = io.StringIO()
    with progress.step("first", out) as step:
        step.started -= 7
        step.detail = "all of it"
    line = re.fullmatch(r" +first +(\d+\.\d) s +all of it\n", out.getvalue())
    assert line is not None
    assert 7 <= float(line[1]) < 60
    failed = io.StringIO()
    with pytest.raises(ValueError, match="no"), progress.step("second", failed):
        raise ValueError("no")
    assert "failed" in failed.getvalue()


def test_in_a_log_a_long_step_is_heard_of_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LOG_INTERVAL", 0.001)
    out = io.StringIO()
    with progress.step("long", out) as step:
        step.detail = "3/5 packages"
        while out.getvalue().count("\n") < 3:
            pass
    assert "3/5 packages" in out.getvalue().splitlines()[1]


def test_on_a_terminal_one_line_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress, "_TERMINAL_INTERVAL", 0.001)
    out = Terminal()
    with progress.step("long", out):
        while out.getvalue().count("\r") < 3:
            pass
    assert out.getvalue().count("\n") == 1
