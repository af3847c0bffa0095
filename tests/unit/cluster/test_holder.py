"""What is known from outside of the process that holds a cluster; here this test process plays it."""

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from localcluster import files, processes, tools
from localcluster.errors import ClusterError
from localcluster.holder import Holder
from localcluster.paths import component_log, launch_record, state_file
from localcluster.settings import CLUSTER_DIR, Settings
from localcluster.tools import Tools


@pytest.fixture
def holder(chosen: Settings) -> Holder:
    """A holder that is alive."""
    who = processes.identity(os.getpid())
    assert who
    processes.record(launch_record(chosen), who)
    return Holder(chosen)


def report(chosen: Settings, **facts: object) -> None:
    """Let the supervisor report one component."""
    end = {"how": "exited with status 1", "at": 0, "log": ["first line", "no such file: kubelet.json"]}
    row: dict[str, Any] = {"name": "kubelet", "state": "running", "restarts": 0, "last_end": end, **facts}
    files.write(state_file(chosen), json.dumps([row]))


def test_a_component_that_keeps_dying_ends_the_wait_with_its_last_words(
    chosen: Settings, holder: Holder
) -> None:
    report(chosen, state="backoff", restarts=5)
    with pytest.raises(ClusterError, match=r"(?s)kubelet keeps dying \(exited with status 1\).*no such file"):
        holder.raise_if_hopeless()


@pytest.mark.parametrize("facts", [{"state": "backoff", "restarts": 4}, {"state": "running", "restarts": 9}])
def test_one_that_may_yet_live_does_not(chosen: Settings, holder: Holder, facts: dict[str, Any]) -> None:
    report(chosen, **facts)
    holder.raise_if_hopeless()


def test_a_cluster_that_ended_says_why(chosen: Settings, holder: Holder) -> None:
    launch_record(chosen).unlink()
    files.write(component_log(chosen, "supervisor"), "RTNETLINK answers: Operation not permitted\n")
    with pytest.raises(ClusterError, match="The cluster ended:\nRTNETLINK"):
        holder.raise_if_hopeless()


def start_again(chosen: Settings, **used: object) -> None:
    """`up` on a cluster that is alive and was started with `used`."""
    programs = Tools(Path("/tools"))
    run: dict[str, Any] = {
        "CLUSTER_API_PORT": chosen.api_port,
        "CLUSTER_HTTP_PORT": chosen.http_port,
        "programs": str(programs.root),
        **used,
    }
    files.write(chosen.volatile_dir / "run.json", json.dumps(run))
    Holder(chosen).start(programs)


@pytest.mark.usefixtures("holder")
def test_a_live_cluster_is_left_as_it_is(chosen: Settings) -> None:
    start_again(chosen)
    assert not chosen.pki_dir.exists()


@pytest.mark.usefixtures("holder")
def test_a_live_cluster_with_other_ports_is_not_taken_for_this_one(chosen: Settings) -> None:
    with pytest.raises(ClusterError, match=r"is running with CLUSTER_API_PORT=1 .*`down` first"):
        start_again(chosen, CLUSTER_API_PORT=1)


@pytest.mark.usefixtures("holder")
def test_a_live_cluster_of_other_programs_is_not_taken_for_this_one(chosen: Settings) -> None:
    with pytest.raises(ClusterError, match="programs of another cluster/tools"):
        start_again(chosen, programs="/older")


def test_programs_are_those_of_the_live_cluster_else_those_of_the_go_mod(
    chosen: Settings, holder: Holder
) -> None:
    files.write(chosen.volatile_dir / "run.json", json.dumps({"programs": "/older"}))
    assert holder.programs() == Tools(Path("/older"))
    launch_record(chosen).unlink()
    assert holder.programs() == tools.locate(chosen)


def test_entering_a_cluster_that_is_not_up_says_how_to_start_it(chosen: Settings) -> None:
    with pytest.raises(ClusterError, match="unit is not running: `cluster/cluster up` starts it"):
        Holder(replace(chosen)).enter()


def test_a_second_holder_of_one_cluster_gives_way_before_it_makes_anything(chosen: Settings) -> None:
    """An `up` that was killed may have started one that is not on record yet."""
    chosen.cluster_dir.mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(CLUSTER_DIR),
        "TERMINAL_OPERATOR_CACHE": str(chosen.cache),
        "CLUSTER_NAME": chosen.name,
        "PATH": "/nowhere",  # without the lock it would fail for want of `unshare`
    }
    with (chosen.cluster_dir / "holder.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.run(
            [sys.executable, "-m", "localcluster.launch"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "held by another process already" in second.stderr
    assert not launch_record(chosen).exists()
