"""Starts a program by `posix_spawn`: no code of ours runs between fork and exec, and no memory is copied.

What `posix_spawn` cannot do is change the folder. So the server itself goes there for that moment, and back. It
names its own files by absolute paths, and starts programs in one thread only.
"""

import contextlib
import errno
import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Action = tuple[int, int, int] | tuple[int, int, str, int, int]
"""What is done with a descriptor in the new process: `(POSIX_SPAWN_DUP2, …)` or `(POSIX_SPAWN_OPEN, …)`."""

# Python ignores some signals, and whoever starts the server may ignore others (`nohup`): none of that is a command's.
_RESTORED = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class SpawnError(Exception):
    """The system could not start a process."""


class BadFolderError(SpawnError):
    """A program cannot start where it should."""


class TooLargeError(SpawnError):
    """The arguments and the environment are more than the system takes."""


def start(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], actions: Sequence[Action]
) -> int:
    """Start a program as the leader of a session of its own; return its process id.

    Args:
        arguments: the program, found by the environment's PATH, and its arguments.
        cwd: where it starts.
        environment: all its variables.
        actions: how it gets its descriptors; it inherits none but 0, 1 and 2.

    Raises:
        BadFolderError: `cwd` is not a folder one can be in.
        TooLargeError: the arguments and the environment are too long.
        SpawnError: the program is not there, or there can be no more processes.
    """
    program = _found(arguments[0], environment)
    with _being_in(cwd):
        try:
            return os.posix_spawn(
                program,
                list(arguments),
                environment,
                file_actions=actions,
                setsid=True,
                setsigmask=[],
                setsigdef=_RESTORED,
            )
        except OSError as error:
            if error.errno == errno.E2BIG:
                raise TooLargeError("command and env are longer than the system allows") from None
            raise SpawnError(f"the command could not be started: {error.strerror}") from error


@contextlib.contextmanager
def _being_in(folder: Path) -> Iterator[None]:
    before = os.open(".", os.O_PATH)
    try:
        os.chdir(folder)
    except OSError as error:
        os.close(before)
        raise BadFolderError(f"{folder}: {error.strerror}") from None
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def _found(program: str, environment: Mapping[str, str]) -> str:
    if "/" in program:
        return program
    path = shutil.which(program, path=environment.get("PATH"))
    if path is None:
        raise SpawnError(f"the command could not be started: there is no {program}")
    return path
