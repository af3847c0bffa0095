"""The command line, as far as it goes without a cluster."""

import os
import subprocess
from pathlib import Path

import pytest
from localcluster.settings import CLUSTER_DIR


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    free = {"CLUSTER_API_PORT": "1", "CLUSTER_HTTP_PORT": "2"}  # nobody answers there
    machine = {name: value for name, value in os.environ.items() if not name.startswith("CLUSTER_")}
    return {**machine, **free, "CLUSTER_BACKEND": "native", "TERMINAL_OPERATOR_CACHE": str(tmp_path)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the two commands."""
    command = [str(CLUSTER_DIR / arguments[0]), *arguments[1:]]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_status_of_no_cluster_is_an_answer_and_not_a_success(environment: dict[str, str]) -> None:
    done = run(environment, "cluster", "status")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("cluster terminals (native): NOT up")


def test_a_mistake_in_a_setting_is_a_message_and_not_a_traceback(environment: dict[str, str]) -> None:
    done = run(environment | {"CLUSTER_NAME": "A"}, "cluster", "status")
    assert done.returncode == 1
    assert done.stderr.startswith("error: CLUSTER_NAME='A'")


def test_a_reader_that_has_seen_enough_is_no_error(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [CLUSTER_DIR / "cluster", "status"],
            env=environment,
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""


def test_load_of_an_unknown_image_lists_the_known(environment: dict[str, str]) -> None:
    done = run(environment, "cluster", "load", "opertor")
    assert done.returncode == 1
    assert "known: operator, terminal" in done.stderr


def test_exec_without_a_cluster_says_how_to_get_one(environment: dict[str, str]) -> None:
    assert "`cluster/cluster up` starts it" in run(environment, "cluster", "exec", "--", "true").stderr
    assert "What should be run?" in run(environment, "cluster", "exec").stderr


def test_images_are_listed_with_their_names_in_the_cluster(environment: dict[str, str]) -> None:
    rows = dict(line.split() for line in run(environment, "images", "list").stdout.splitlines())
    assert rows["operator"] == "ghcr.io/terminal-operator/terminal-operator:0.1.0"
    assert rows["terminal"] == "ghcr.io/terminal-operator/terminal:0.1.0-slim"
