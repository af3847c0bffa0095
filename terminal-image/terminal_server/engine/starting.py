"""Starts a program, and says why that failed."""

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from terminal_server.engine import marks
from terminal_server.engine.spawning import Action, spawn


class SpawnError(Exception):
    """The system could not start a process."""


class BadFolderError(SpawnError):
    """A program cannot start where it should."""


class TooLargeError(SpawnError):
    """The arguments and the environment are more than the system takes."""


@dataclass(frozen=True)
class Start:
    """A program to start, as the leader of a session of its own."""

    arguments: Sequence[str]
    """The program, found by the environment's PATH, and its arguments."""
    cwd: Path
    environment: Mapping[str, str]
    """All its variables."""
    actions: Sequence[Action]
    """How it gets its descriptors; it inherits none but 0, 1 and 2."""
    mark: int
    """What its processes are known by."""

    def __call__(self) -> int:
        """Start it; return its process id. May block.

        Raises:
            BadFolderError: `cwd` is not a folder one can be in.
            TooLargeError: the arguments and the environment are too long.
            SpawnError: the program is not there, or there can be no more processes.
            ValueError: an argument or a variable holds a NUL, or a variable has no name.
        """
        program = _found(self.arguments[0], self.environment)
        try:
            process = spawn(
                program, self.arguments, self.environment.items(), cwd=str(self.cwd), actions=self.actions
            )
        except OSError as error:
            _enter(self.cwd)
            if error.errno == errno.E2BIG:
                raise TooLargeError("command and env are longer than the system allows") from None
            raise SpawnError(f"the command could not be started: {error.strerror}") from error
        marks.put_on(process, self.mark)
        return process


def _enter(folder: Path) -> None:
    """Raise BadFolderError if one cannot be in a folder: `posix_spawn` does not say what it was that failed."""
    try:
        os.close(os.open(folder, os.O_PATH | os.O_DIRECTORY))
        if not os.access(folder, os.X_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise BadFolderError(f"{folder}: {error.strerror}") from None


def _found(program: str, environment: Mapping[str, str]) -> str:
    if "/" in program:
        return program
    path = shutil.which(program, path=environment.get("PATH"))
    if path is None:
        raise SpawnError(f"the command could not be started: there is no {program}")
    return path
