"""Starts a program in a terminal of its own.

The program leads a session, and the first terminal a session's leader opens becomes the one that controls it:
so the kernel turns Ctrl-C into a signal, and the shell has job control. `posix_spawn` opens it after it has made
the session, in this order, and needs no code of ours between fork and exec.
"""

import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_SHELL = "/bin/sh"
# posix_spawn cannot change the folder: a shell does, and is replaced by the program.
_IN_FOLDER = 'cd -- "$0" && exec "$@"'
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)


def start(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], *, rows: int, columns: int
) -> tuple[int, int]:
    """Start a program; return its process id and a descriptor of its terminal.

    Raises:
        OSError: there is no terminal or no process left, or `cwd` is no folder one can be in.
    """
    if not os.access(cwd, os.X_OK) or not cwd.is_dir():
        raise NotADirectoryError(20, "not a folder one can be in", str(cwd))
    descriptor, other = pty.openpty()
    try:
        name = os.ttyname(other)
        resize(descriptor, rows=rows, columns=columns)
        pid = os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _IN_FOLDER, str(cwd), *arguments],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, 0, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=_RESTORED,
        )
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        os.close(other)
    return pid, descriptor


def resize(descriptor: int, *, rows: int, columns: int) -> None:
    """Say how large the terminal is; the foreground job is told."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
