"""Brings the cluster up and the operator into it, once for all workers of a test run."""

import asyncio
import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from tests.e2e.kit.api import connect
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import MADE_BY_TESTS
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.programs import REPOSITORY

_PROGRAM = REPOSITORY / "cluster" / "cluster"
_NAME = os.environ.get("CLUSTER_NAME") or "terminals"
_FOLDER = Path(tempfile.gettempdir()) / f"terminal-operator-e2e-{_NAME}"


def provide(run: str) -> None:
    """See that the cluster is up, has this tree's images and its operator, and nothing of an earlier run.

    Args:
        run: names the test run: what one worker has done, the others do not do again.
    """
    with _locked("provision", exclusive=True) as file:
        _use_cluster()
        if file.read_text() == run:
            return
        began = time.monotonic()
        _cluster("up")
        _cluster("load", "operator", "terminal")
        _use_cluster()
        up = time.monotonic()
        asyncio.run(_install())
        file.write_text(run)
        print(f"\ncluster {up - began:.1f} s, operator {time.monotonic() - up:.1f} s")  # noqa: T201 - progress


def provide_image(run: str, name: str) -> None:
    """See that the node has an image that most tests do without.

    Args:
        run: as above.
        name: the image's short name.
    """
    with _locked(f"image-{name}", exclusive=True) as file:
        if file.read_text() != run:
            _cluster("load", name)
            file.write_text(run)


def was_up() -> bool:
    """Whether the cluster is there already."""
    status = subprocess.run([str(_PROGRAM), "status"], capture_output=True, check=False)
    return status.returncode == 0


def take_down() -> None:
    """End the cluster."""
    _cluster("down")


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait for a turn: together with the other tests, or, for what disturbs every Terminal, alone."""
    with _locked("turns", exclusive=alone):
        yield


@contextmanager
def _locked(name: str, *, exclusive: bool) -> Iterator[Path]:
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / name
    path.touch()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield path


def _cluster(*arguments: str) -> str:
    result = subprocess.run([str(_PROGRAM), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"cluster/cluster {' '.join(arguments)}: {result.stdout}{result.stderr}"
    return result.stdout


def _use_cluster() -> None:
    """Take what `eval "$(cluster/cluster env)"` gives a shell into this process."""
    lines = dict(re.findall(r"^export (\w+)=([^:\n]*)", _cluster("env"), re.MULTILINE))
    os.environ["KUBECONFIG"] = lines["KUBECONFIG"]
    tools = lines["PATH"].strip('"')
    if tools not in os.environ["PATH"].split(":"):
        os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"


async def _install() -> None:
    async with connect() as api, aiohttp.ClientSession() as http:
        cluster = Cluster(api, http)
        await cluster.kubectl("delete", "namespace", "--selector", MADE_BY_TESTS, "--wait=false")
        operator = Operator(cluster)
        await operator.configure()
        await cluster.kubectl("delete", "terminalclass", "--selector", MADE_BY_TESTS, "--wait=false")
        # The same image name may stand for another image by now: an operator of an earlier run is replaced.
        await operator.restart()
