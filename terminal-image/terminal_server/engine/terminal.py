"""Terminals: for a program that is used by a person, or only as the input of one that is not.

A program that leads a session is controlled by the first terminal it opens. `posix_spawn` opens it after it has
made the session, so the kernel turns Ctrl-C into a signal, and the shell has job control.
"""

import fcntl
import os
import pty
import struct
import termios

from terminal_server.engine.spawning import Action

_LOCAL = 3
_INPUT = 0
_CONTROL = 6
END = b"\x04"
LINE_BYTES = 1024


def open_for_program(*, rows: int, columns: int) -> tuple[int, int, list[Action]]:
    """Return both ends of a terminal, and how a program gets the second one as the terminal that controls it.

    Raises:
        OSError: there is none left.
    """
    descriptor, other = pty.openpty()
    resize(descriptor, rows=rows, columns=columns)
    actions: list[Action] = [
        (os.POSIX_SPAWN_OPEN, 0, os.ttyname(other), os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    return descriptor, other, actions


def open_for_input() -> tuple[int, int]:
    """Return both ends of a terminal that passes on what is written to the first.

    There is no echo, no signal, and no key that edits; a carriage return becomes a newline. `END` passes on what
    there is of a line, or ends the input where there is nothing of one. A line has room for twice `LINE_BYTES`.

    Raises:
        OSError: there is none left.
    """
    descriptor, other = pty.openpty()
    mode = termios.tcgetattr(other)
    mode[_INPUT] = termios.ICRNL
    mode[_LOCAL] = termios.ICANON
    for key in (termios.VERASE, termios.VKILL, termios.VEOL):
        mode[_CONTROL][key] = b"\0"
    mode[_CONTROL][termios.VEOF] = END
    termios.tcsetattr(other, termios.TCSANOW, mode)
    return descriptor, other


def resize(descriptor: int, *, rows: int, columns: int) -> None:
    """Say how large the terminal is; the foreground job is told."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
