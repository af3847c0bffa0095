"""Marks a command's processes, so that each of them is known whatever it does.

A process that became an orphan and left its session is told by what it inherited. An environment can be cleared,
and often is. Resource limits are inherited as well, nobody changes this one, and everybody may read it: the time
a real-time process may run without a pause, in microseconds. Each command has a value of its own, tens of
thousands of years, for a limit that does not even apply to ordinary processes. No privilege is needed, unlike
for a control group. The environment holds the mark too, for systems where `/proc` does not show the limit.

A limit is the whole server's, so commands that begin at the same moment inherit the same value. Each gets its own
when it has begun, before its shell has read the script mostly. What slips away in between, from its session as well,
with its environment cleared, and only while another command begins, is ended with the server and not before.
"""

import contextlib
import os
import resource
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

VARIABLE = "TERMINAL_COMMAND_ID"
_BITS = 60
_FIELD = b"Max realtime timeout"


def _new() -> int:
    return 1 << _BITS | secrets.randbits(_BITS)


class Mark:
    """What the processes of one command are known by."""

    def __init__(self, shared: "_Shared") -> None:
        self.own = _new()
        """Put on the command when it has begun."""
        self._shared = shared

    @property
    def variable(self) -> str:
        """The value of the variable that holds it."""
        return f"{self.own:x}"

    def is_on(self, pid: int) -> bool:
        """Tell whether a process inherited the mark. One that has ended did not."""
        known = {self.own, self._shared.value} if self._shared.of_one else {self.own}
        return _in_limits(pid, known) or _in_environment(pid, self.variable)


class _Shared:
    """What commands are marked with in their first moment: all that begin at the same time with the same."""

    def __init__(self) -> None:
        self.value = _new()
        self.of_one = True


class Marks:
    """Marks for the commands of one process. To be used in one thread."""

    def __init__(self) -> None:
        self._starting = 0
        self._shared = _Shared()
        self._before = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    @contextlib.contextmanager
    def starting(self) -> Iterator[Mark]:
        """Have what is started inside the block inherit a mark from the first; `put_on` makes it the one given."""
        if self._starting:
            self._shared.of_one = False
        else:
            self._shared = _Shared()
            self._before = resource.getrlimit(resource.RLIMIT_RTTIME)
            self._inherit(self._shared.value)
        self._starting += 1
        try:
            yield Mark(self._shared)
        finally:
            self._starting -= 1
            if not self._starting:
                self._inherit(self._before[0])

    def _inherit(self, value: int) -> None:
        # Where somebody has set a limit that really limits the environment has to do.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_RTTIME, (value, self._before[1]))


def put_on(pid: int, mark: int) -> None:
    """Mark a child, and what it starts from now on."""
    with contextlib.suppress(ValueError, OSError):
        limits = resource.prlimit(pid, resource.RLIMIT_RTTIME)
        resource.prlimit(pid, resource.RLIMIT_RTTIME, (mark, limits[1]))


def _in_limits(pid: int, known: Collection[int]) -> bool:
    try:
        lines = Path(f"/proc/{pid}/limits").read_bytes().splitlines()
    except OSError:
        return False
    words = next((line[len(_FIELD) :].split() for line in lines if line.startswith(_FIELD)), [])
    return bool(words) and words[0].isdigit() and int(words[0]) in known


def _in_environment(pid: int, value: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(f"{VARIABLE}={value}") in environment.split(b"\0")
