"""Serves a file, and nothing that only looks like one.

Opening a FIFO waits for ever, reading a device may do so, and what is in /proc has neither size nor end.
The file is opened once, without waiting, looked at, and served from that very descriptor.
"""

import errno
import os
import stat
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

_KERNEL_FOLDERS = ("/proc/", "/sys/", "/dev/")


def open_regular(path: Path) -> int:
    """Return a descriptor for reading an ordinary file. May block for as long as the disk does.

    Raises:
        OSError: EISDIR for a folder, EINVAL for what else is no ordinary file, or as the system has it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check_regular(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "This is a folder")
    real = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    if not stat.S_ISREG(mode) or real.startswith(_KERNEL_FOLDERS):
        raise OSError(errno.EINVAL, "This is not an ordinary file")


class OpenFile(FileResponse):
    """Sends a file that is already open: whole or in ranges, as an attachment that no browser will run."""

    chunk_size = 1024 * 1024

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        super().__init__(
            f"/proc/self/fd/{descriptor}",
            filename=name,
            stat_result=os.fstat(descriptor),
            headers={
                "Content-Security-Policy": "sandbox; default-src 'none'",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-cache",
                "Referrer-Policy": "no-referrer",
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close it however that ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)
