"""Calls the C library's `posix_spawn`, which does two things that Python's does not.

It changes the folder: `posix_spawn_file_actions_addchdir_np`, in glibc since 2.29 and in musl since 1.1.24. And
called from here it leaves Python's lock to others while the new process waits for a processor, and until it has
become the program: a millisecond and more where many are started.
"""

import ctypes
import functools
import os
import signal
from collections.abc import Iterable, Sequence
from typing import Any

Action = tuple[int, int, int] | tuple[int, int, str, int, int]
"""What is done with a descriptor in the new process: `(POSIX_SPAWN_DUP2, …)` or `(POSIX_SPAWN_OPEN, …)`."""

_Strings = ctypes.POINTER(ctypes.c_char_p)
_Opaque = ctypes.c_long * 64
"""Room for any of the C library's own structures here: the largest, the attributes, takes 336 bytes."""
_SET_SIGNAL_DEFAULTS, _SET_SIGNAL_MASK, _SET_SESSION = 0x04, 0x08, 0x80
# Python ignores some signals, and whoever starts the server may ignore others (`nohup`): none of that is a command's.
_NEVER_CAUGHT = (signal.SIGKILL, signal.SIGSTOP)


def spawn(
    program: str,
    arguments: Sequence[str],
    environment: Iterable[tuple[str, str]],
    *,
    cwd: str,
    actions: Sequence[Action],
) -> int:
    """Start a program as the leader of a session of its own; return its process id. May block.

    Args:
        program: its path.
        arguments: its name, and its arguments.
        environment: all its variables.
        cwd: the folder where it starts.
        actions: how it gets its descriptors; it inherits none but 0, 1 and 2.

    Raises:
        OSError: it could not be started, or not there.
        ValueError: something holds a NUL, or a variable's name is none.
    """
    libc, posix_spawn, attributes = _library()
    path, folder = _encoded(program), _encoded(cwd)
    given = _strings(map(_encoded, arguments))
    variables = _strings(_variable(name, value) for name, value in environment)
    process = ctypes.c_int()
    todo = _Opaque()
    _check(libc.posix_spawn_file_actions_init(todo))
    try:
        for action in actions:
            _add(libc, todo, action)
        _check(libc.posix_spawn_file_actions_addchdir_np(todo, folder))
        _check(posix_spawn(ctypes.byref(process), path, todo, attributes, given, variables))
    finally:
        libc.posix_spawn_file_actions_destroy(todo)
    return process.value


@functools.cache
def _library() -> tuple[ctypes.PyDLL, Any, ctypes.Array[ctypes.c_long]]:
    """Return the C library, its `posix_spawn`, and the attributes all programs are started with.

    Only `posix_spawn` gives up Python's lock: it takes longer to get it back than the others take.
    """
    libc, posix_spawn = ctypes.PyDLL(None), ctypes.CDLL(None).posix_spawn
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    libc.posix_spawn_file_actions_adddup2.argtypes = (pointer, number, number)
    libc.posix_spawn_file_actions_addopen.argtypes = (pointer, number, text, number, ctypes.c_uint)
    libc.posix_spawn_file_actions_addchdir_np.argtypes = (pointer, text)
    posix_spawn.argtypes = (pointer, text, pointer, pointer, _Strings, _Strings)
    attributes, none, all_but_two = _Opaque(), _Opaque(), _Opaque()
    _check(libc.posix_spawnattr_init(attributes))
    libc.sigemptyset(none)
    libc.sigfillset(all_but_two)
    for never in _NEVER_CAUGHT:
        libc.sigdelset(all_but_two, int(never))
    _check(libc.posix_spawnattr_setsigmask(attributes, none))
    _check(libc.posix_spawnattr_setsigdefault(attributes, all_but_two))
    flags = _SET_SESSION | _SET_SIGNAL_MASK | _SET_SIGNAL_DEFAULTS
    _check(libc.posix_spawnattr_setflags(attributes, ctypes.c_short(flags)))
    return libc, posix_spawn, attributes


def _add(libc: ctypes.PyDLL, todo: ctypes.Array[ctypes.c_long], action: Action) -> None:
    if len(action) == 3:  # noqa: PLR2004 - what to do, and two descriptors
        _, descriptor, other = action
        _check(libc.posix_spawn_file_actions_adddup2(todo, descriptor, other))
    else:
        _, descriptor, path, flags, mode = action
        _check(libc.posix_spawn_file_actions_addopen(todo, descriptor, _encoded(path), flags, mode))


def _strings(values: Iterable[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    held = [*values, None]
    return (ctypes.c_char_p * len(held))(*held)


def _variable(name: str, value: str) -> bytes:
    if not name or "=" in name:
        raise ValueError("a variable has no name that could be one")
    return _encoded(f"{name}={value}")


def _encoded(text: str) -> bytes:
    data = os.fsencode(text)
    if b"\0" in data:
        raise ValueError("what a program is given cannot hold a NUL")
    return data


def _check(problem: int) -> None:
    if problem:
        raise OSError(problem, os.strerror(problem))
