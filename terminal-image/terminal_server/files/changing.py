"""Makes, moves and removes files and folders, without losing anything nobody asked to lose."""

import ctypes
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Literal

from terminal_server.files.kernel import is_kernels
from terminal_server.files.unfinished import Unfinished

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NOT_SUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


class ProtectedError(ValueError):
    """What would be lost is more than anybody means."""


def check_not_protected(path: Path, home: Path) -> None:
    """Raise if `path` is the root, the home, or a folder the home is in.

    Raises:
        ProtectedError: it is.
    """
    real = Path(os.path.realpath(path.parent)) / path.name
    real_home = Path(os.path.realpath(home))
    if real == Path("/") or real == real_home or real in real_home.parents:
        raise ProtectedError(f"{path} cannot be moved or removed: the home is in it")


def remove(path: Path) -> Literal["file", "directory"]:
    """Remove a file, a link, or a folder with all that is in it; a link is never followed. May block for long.

    Raises:
        OSError: it cannot be removed, or not all of it.
    """
    if not stat.S_ISDIR(path.lstat().st_mode):
        path.unlink()
        return "file"
    try:
        shutil.rmtree(path)
    except RecursionError:
        raise OSError(errno.EINVAL, "The folders lie too deep in each other: use rm -r") from None
    return "directory"


def move(source: Path, destination: Path, unfinished: Unfinished) -> None:
    """Give something another place, where nothing is yet. May block for long, across file systems.

    Raises:
        OSError: EEXIST if something is there, or as the system has it; the source is whole then.
    """
    try:
        _rename(source, destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(source, destination, unfinished)


def _rename(source: Path, destination: Path) -> None:
    """Rename, never replacing: what appears at the destination in the last moment is not lost either."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = (_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(destination))
    if libc.renameat2(*names, _RENAME_NOREPLACE) == 0:
        return
    number = ctypes.get_errno()
    if number not in _NOT_SUPPORTED:
        raise OSError(number, os.strerror(number))
    # Some network file systems cannot promise it. EINVAL is also what a folder moved into itself is told.
    if os.path.lexists(destination):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(source, destination)  # noqa: PTH104 - beside its like


def _move_across(source: Path, destination: Path, unfinished: Unfinished) -> None:
    """Copy under another name first: the destination appears whole, and only then the source goes."""
    if is_kernels(os.path.realpath(source)) or is_kernels(os.path.realpath(destination)):
        raise OSError(errno.EINVAL, "What is the kernel's cannot be moved")
    copy, descriptor = unfinished.create(destination.parent)
    os.close(descriptor)
    copy.unlink()
    try:
        if stat.S_ISDIR(source.lstat().st_mode):
            shutil.copytree(source, copy, symlinks=True, copy_function=_copy)
        else:
            _copy(str(source), str(copy))
        _rename(copy, destination)
    except shutil.Error as error:
        _discard(copy)
        _, _, reason = error.args[0][0]
        raise OSError(errno.EINVAL, f"Not all of it can be copied: {reason}") from None
    except RecursionError:
        _discard(copy)
        raise OSError(errno.EINVAL, "The folders lie too deep in each other") from None
    except OSError:
        _discard(copy)
        raise
    finally:
        unfinished.forget(copy)
    remove(source)


def _copy(source: str, copy: str) -> None:
    """Copy a file or a link; what else there may be has no content that could be copied."""
    mode = os.lstat(source).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OSError(errno.EINVAL, f"{source} is not an ordinary file")
    shutil.copy2(source, copy, follow_symlinks=False)


def _discard(copy: Path) -> None:
    if copy.is_dir() and not copy.is_symlink():
        shutil.rmtree(copy, ignore_errors=True)
    else:
        copy.unlink(missing_ok=True)
