"""Remembers which files are being written, so that what a killed server left behind is removed later.

A file that is written lies beside its target, wherever that is: nobody could search for it. So its path is
noted before it is made. It is locked while it is written, so a second server at the same home takes it for
nobody's only when it is.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
from pathlib import Path
from threading import Lock

PREFIX = ".upload-"
_NOTES = 1000


class Unfinished:
    """The unfinished files, in memory and in a file. Its methods may block, and may be called in threads."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._lock = Lock()
        self._living: set[bytes] = set()
        self._written = 0

    def create(self, folder: Path) -> tuple[Path, int]:
        """Make a file in `folder` under a name of its own, and return it, open and locked.

        Raises:
            OSError: it cannot be made.
        """
        path = folder / f"{PREFIX}{secrets.token_hex(8)}"
        self._note(os.fsencode(path))
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except BaseException:
            self.forget(path)
            raise
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path, descriptor

    def forget(self, path: Path) -> None:
        """Say that a file is no longer unfinished: it has its name, or is removed."""
        with self._lock:
            self._living.discard(os.fsencode(path))

    def clean_up(self) -> None:
        """Remove what was left behind. For the start."""
        try:
            noted = self._notes.read_bytes().split(b"\0")
        except OSError:
            return
        for path in noted:
            if os.path.basename(path).startswith(PREFIX.encode()):  # noqa: PTH119 - bytes, as they were noted
                _remove_if_nobodys(path)
        with contextlib.suppress(OSError):
            self._notes.unlink()

    def _note(self, path: bytes) -> None:
        """Add to the notes; a disk that takes none must not keep files from being written."""
        with self._lock, contextlib.suppress(OSError):
            self._living.add(path)
            self._notes.parent.mkdir(parents=True, exist_ok=True)
            if self._written >= _NOTES:
                self._written = 0
                self._notes.write_bytes(b"".join(one + b"\0" for one in self._living))
                return
            self._written += 1
            with self._notes.open("ab", buffering=0) as file:
                file.write(path + b"\0")


def _remove_if_nobodys(path: bytes) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)  # noqa: PTH108 - bytes, as they were noted
        finally:
            os.close(descriptor)
