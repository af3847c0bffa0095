"""Keeps the key out of what the commands of the terminal can read.

Commands run under the server's own uid, so whatever the kernel shows of a process to its own user, it shows
to them: the environment and the arguments it was started with, its memory and its open files. Deleting a
variable does not change `/proc/PID/environ`, so a key that was given there is overwritten where the kernel reads
it. Where that cannot be done, as with arguments, the server starts itself again without the key, and hands it
over in a memory file. After that the process is marked as not dumpable, which closes `environ`, `mem` and `fd` to
everybody but root.

Only light modules are imported here: this runs before everything else, and sometimes twice.
"""

import ctypes
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

KEY_VARIABLES = ("OPEN_TERMINAL_API_KEY", "TERMINAL_SERVER_API_KEY")
HANDOVER_VARIABLE = "TERMINAL_SERVER_KEY_FD"
_PR_SET_DUMPABLE = 4
_BETWEEN = "\0"
"""Stands between keys that are handed over: neither an argument nor a variable can hold it."""


def take_keys(arguments: Sequence[str]) -> list[str]:
    """Return the keys given as arguments and in the environment, when no trace of them is left in `/proc`.

    Does not return if there would be a trace: the program starts again without them. An empty value is none.
    """
    handed_over = os.environ.pop(HANDOVER_VARIABLE, None)
    if handed_over is not None:
        with os.fdopen(int(handed_over), "rb") as file:
            file.seek(0)
            return file.read().decode().split(_BETWEEN)
    named = (os.environ.get(name) for name in KEY_VARIABLES)
    keys = list(dict.fromkeys(key for key in (*arguments, *named) if key))
    if keys:
        others = without_values(os.environ, keys)
        kept = {name: text for name, text in others.items() if name not in KEY_VARIABLES}
        if any(arguments) or not _overwrite(os.environ.keys() - kept.keys()):
            _start_again(keys, kept)
    return keys


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


def without_values(environment: Mapping[str, str], values: Iterable[str]) -> dict[str, str]:
    """Return the environment without the variables that hold one of `values` as a word, as make's own do."""
    secret = set(values)
    return {
        name: text for name, text in environment.items() if secret.isdisjoint(text.replace("=", " ").split())
    }


def _overwrite(names: Iterable[str]) -> bool:
    """Take variables out of the environment; tell whether the kernel does not show their values any more."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    values = []
    for name in names:
        address = libc.getenv(os.fsencode(name))
        if address is None:
            return False
        values.append(os.fsencode(os.environ[name]))
        ctypes.memset(address, 0, len(values[-1]))
        del os.environ[name]
    try:
        shown = Path("/proc/self/environ").read_bytes()
    except OSError:
        return False
    return not any(value in shown for value in values if value)


def _start_again(keys: Sequence[str], environment: Mapping[str, str]) -> None:
    descriptor = os.memfd_create("keys", 0)
    os.write(descriptor, _BETWEEN.join(keys).encode())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature
    environment = {**environment, HANDOVER_VARIABLE: str(descriptor)}
    own = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    os.execve(sys.executable, [*own, *without_key(sys.argv[1:])], environment)  # noqa: S606 - itself
