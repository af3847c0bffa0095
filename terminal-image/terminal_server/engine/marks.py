"""Marks a command's processes, so that each of them is known whatever it does.

A process that became an orphan and left its session is told by what it inherited. An environment can be cleared,
and often is. Resource limits are inherited as well, nobody changes this one, and everybody may read it: the time
a real-time process may run without a pause, in microseconds. Each command has a value of its own, tens of
thousands of years, for a limit that does not even apply to ordinary processes. No privilege is needed, unlike
for a control group. The environment holds the mark too, for systems where `/proc` does not show the limit.
"""

import contextlib
import os
import resource
import secrets
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "TERMINAL_COMMAND_ID"
_BITS = 60
_FIELD = b"Max realtime timeout"


def new() -> int:
    """Return a mark nobody has."""
    return 1 << _BITS | secrets.randbits(_BITS)


def variable(mark: int) -> str:
    """Return the value of the variable that holds a mark."""
    return f"{mark:x}"


@contextlib.contextmanager
def inherited(mark: int) -> Iterator[None]:
    """Have what is started inside the block inherit the mark."""
    before = resource.getrlimit(resource.RLIMIT_RTTIME)
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (mark, before[1]))
    except (ValueError, OSError):
        # Somebody has set a limit that really limits: the environment has to do.
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_RTTIME, before)


def bears(pid: int, mark: int) -> bool:
    """Tell whether a process inherited the mark. One that has ended did not."""
    return _in_limits(pid, mark) or _in_environment(pid, mark)


def _in_limits(pid: int, mark: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/limits").read_bytes().splitlines()
    except OSError:
        return False
    words = next((line[len(_FIELD) :].split() for line in lines if line.startswith(_FIELD)), [])
    return bool(words) and words[0] == str(mark).encode()


def _in_environment(pid: int, mark: int) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(f"{VARIABLE}={variable(mark)}") in environment.split(b"\0")
