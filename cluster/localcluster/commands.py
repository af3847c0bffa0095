"""Runs a program for its effect: quiet when it works, with its own words when it does not."""

from __future__ import annotations

import subprocess
from collections import deque
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localcluster.progress import Step

_ERROR_LINES = 30


def run(command: Sequence[str], *, step: Step | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a program, showing its latest line as the step's detail; raise with its last lines if it fails."""
    recent: deque[str] = deque(maxlen=_ERROR_LINES)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
    ) as process:
        if process.stdout is None:
            raise AssertionError("a pipe was asked for")
        for line in map(str.rstrip, process.stdout):
            recent.append(line)
            if step and line:
                step.detail = line
    if process.returncode:
        raise ClusterError(f"{' '.join(command)} failed:\n" + "\n".join(recent))
    if step:
        step.detail = ""


def output(command: Sequence[str]) -> str:
    """What a program prints; raise with its error output if it fails."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed:\n{answer.stderr.strip()}")
    return answer.stdout


def succeeds(command: Sequence[str]) -> bool:
    """Whether a program exits with status 0, whatever it prints."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
