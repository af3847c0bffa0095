"""Fills a file anew where no other can take its place: one that is a mount of its own, as of Docker or a `subPath`."""

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path

_BLOCK_BYTES = 1024 * 1024
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def overwrite(target: Path, source: Path) -> None:
    """Make `target`, an ordinary file, hold what `source` holds. May block.

    It can be seen half written meanwhile, and is so after a crash. Room for all of it is taken first, where the disk
    can do that, so that a full one leaves it as it was.

    Raises:
        OSError: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with source.open("rb", buffering=0) as new, os.fdopen(os.open(target, flags), "wb") as old:
        if not stat.S_ISREG(os.fstat(old.fileno()).st_mode):
            raise OSError(errno.EINVAL, "This is not an ordinary file")
        size = os.fstat(new.fileno()).st_size
        _take_room(old.fileno(), size)
        shutil.copyfileobj(new, old, _BLOCK_BYTES)
        old.flush()
        os.ftruncate(old.fileno(), size)
        os.fsync(old.fileno())


def _take_room(descriptor: int, size: int) -> None:
    before = os.fstat(descriptor).st_size
    if size <= before:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in _NO_ROOM:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
