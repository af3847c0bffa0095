"""Keeps the key out of what the commands of the terminal can read.

Commands run under the server's own uid, so whatever the kernel shows of a process to its own user, it shows
to them: the environment and the arguments it was started with, its memory and its open files. Deleting a
variable does not change `/proc/PID/environ`, so a server that was given its key there starts itself again
without it, and hands the key over in a memory file. After that the process is marked as not dumpable, which
closes `environ`, `mem` and `fd` to everybody but root.

Only light modules are imported here: this runs before everything else, and sometimes twice.
"""

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence

KEY_VARIABLES = ("OPEN_TERMINAL_API_KEY", "TERMINAL_SERVER_API_KEY")
HANDOVER_VARIABLE = "TERMINAL_SERVER_KEY_FD"
_PR_SET_DUMPABLE = 4


def take_key(argument: str | None) -> str | None:
    """Return the key given as an argument or in the environment, when no trace of it is left in `/proc`.

    Does not return if there is a trace: the program starts again without it. An empty value is none.
    """
    handed_over = os.environ.pop(HANDOVER_VARIABLE, None)
    if handed_over is not None:
        with os.fdopen(int(handed_over), "rb") as file:
            file.seek(0)
            return file.read().decode()
    values = [os.environ.pop(name, "") for name in KEY_VARIABLES]
    key = argument or next((value for value in values if value), "")
    if key:
        _start_again(key)
    return None


def close_process_to_others() -> None:
    """Refuse to show this process's memory, environment and files to others of the same user."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


def without_key(arguments: Sequence[str]) -> list[str]:
    """Return the command line without `--api-key KEY` and `--api-key=KEY`."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--api-key":
            skip = True
        elif not argument.startswith("--api-key="):
            kept.append(argument)
    return kept


def without_value(environment: Mapping[str, str], value: str) -> dict[str, str]:
    """Return the environment without the variables that hold `value` as a word, as make's own do."""
    return {name: text for name, text in environment.items() if value not in text.replace("=", " ").split()}


def _start_again(key: str) -> None:
    descriptor = os.memfd_create("key", 0)
    os.write(descriptor, key.encode())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature
    environment = {**without_value(os.environ, key), HANDOVER_VARIABLE: str(descriptor)}
    own = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    os.execve(sys.executable, [*own, *without_key(sys.argv[1:])], environment)  # noqa: S606 - itself
