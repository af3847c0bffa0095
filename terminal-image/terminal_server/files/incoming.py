"""Files that appear under their name only when they are complete, and on the disk."""

import asyncio
import contextlib
import errno
import functools
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from terminal_server.files.kernel import is_kernels
from terminal_server.files.opening import opened
from terminal_server.files.overwriting import overwrite
from terminal_server.files.unfinished import Unfinished

_BLOCK_BYTES = 1024 * 1024


@dataclass
class Partial:
    """A file being written next to where it will be. Its methods may block, and raise OSError.

    It goes through links to what they lead to, keeps the mode and, as far as is allowed, the owner of what it
    replaces, and replaces nothing its user could not write to.
    """

    target: Path
    old: os.stat_result | None
    """What it replaces."""
    path: Path
    descriptor: int
    unfinished: Unfinished

    @classmethod
    def create(cls, target: Path, unfinished: Unfinished) -> Self:
        """Return a new one, and make the folders it needs."""
        real = real_target(target)
        old = _replaceable(real)
        real.parent.mkdir(parents=True, exist_ok=True)
        path, descriptor = unfinished.create(real.parent)
        return cls(real, old, path, descriptor, unfinished)

    @classmethod
    def resumed(cls, target: Path, path: Path, unfinished: Unfinished) -> Self:
        """Return the one of an upload that arrives in several requests."""
        real = real_target(target)
        old = _replaceable(real)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        return cls(real, old, path, descriptor, unfinished)

    def write(self, data: bytes | bytearray) -> None:
        """Add bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def commit(self) -> None:
        """Give the file its name, replacing what had it; what is a mount of its own is filled anew instead."""
        if self.old is not None:
            _take_after(self.descriptor, self.old)
        os.fsync(self.descriptor)
        try:
            self.path.replace(self.target)
        except OSError as error:
            if error.errno != errno.EBUSY or self.old is None:
                raise
            overwrite(self.target, self.path)
            self.path.unlink()
        self.close()

    def abandon(self) -> None:
        """Remove it, if it has not got its name."""
        if self.descriptor >= 0:
            self.path.unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Leave it as it is."""
        os.close(self.descriptor)
        self.descriptor = -1
        self.unfinished.forget(self.path)


def save(target: Path, data: bytes, unfinished: Unfinished) -> None:
    """Write a whole file. May block.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    partial = Partial.create(target, unfinished)
    try:
        partial.write(data)
        partial.commit()
    finally:
        partial.abandon()


def real_target(path: Path) -> Path:
    """Return where a path leads to at last, whether or not anything is there.

    Raises:
        OSError: the links go round in a circle, or what it leads to is the kernel's.
    """
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if is_kernels(real):
        raise OSError(errno.EINVAL, "Nothing can be stored there")
    return real


def _replaceable(target: Path) -> os.stat_result | None:
    """Return what is to be replaced, None if there is nothing."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, "There is a folder of this name")
    if stat.S_ISBLK(old.st_mode) or stat.S_ISCHR(old.st_mode) or stat.S_ISSOCK(old.st_mode):
        raise OSError(errno.EINVAL, "This is not an ordinary file")
    if not os.access(target, os.W_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, "This file may not be written to")
    return old if stat.S_ISREG(old.st_mode) else None


def _take_after(descriptor: int, old: os.stat_result) -> None:
    new = os.fstat(descriptor)
    with contextlib.suppress(OSError):
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


class BlockWriter:
    """Collects pieces into blocks. One block is written, in a thread, while the next arrives."""

    def __init__(self, write: Callable[[bytearray], None]) -> None:
        self._write = write
        self._block = bytearray()
        self._writing: asyncio.Future[None] | None = None

    async def add(self, data: bytes) -> None:
        """Add bytes."""
        self._block += data
        if len(self._block) >= _BLOCK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Begin to write what is collected, when what was before it is written."""
        await self.written()
        block, self._block = self._block, bytearray()
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, block)

    async def written(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
            self._writing = None

    async def then(self, step: Callable[[], None]) -> None:
        """Do what comes after all that was written, in a thread too; who settles waits for it as for a write."""
        await self.written()
        self._writing = asyncio.get_running_loop().run_in_executor(None, step)
        await self.written()

    async def settle(self) -> None:
        """Wait until nothing is being done any more, however that ended."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)


class IncomingFile:
    """A file that arrives in pieces. Leaving the `async with` without `commit` removes it.

    Raises OSError from each of its methods, as the file system does.
    """

    def __init__(self, target: Path, unfinished: Unfinished) -> None:
        self.size = 0
        self._target = target
        self._unfinished = unfinished
        self._opened: tuple[Partial, BlockWriter] | None = None

    async def __aenter__(self) -> Self:
        """Create the folder and the unfinished file."""
        create = functools.partial(Partial.create, self._target, self._unfinished)
        partial = await opened(create, Partial.abandon)
        self._opened = partial, BlockWriter(partial.write)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is unfinished."""
        await asyncio.shield(self._close())

    async def write(self, data: bytes) -> None:
        """Add bytes."""
        self.size += len(data)
        await self._open()[1].add(data)

    async def commit(self) -> None:
        """Give the file its name, replacing what had it."""
        partial, writer = self._open()
        await writer.flush()
        await writer.then(partial.commit)

    async def _close(self) -> None:
        partial, writer = self._open()
        # What still goes on must not find its descriptor closed, or another's.
        await writer.settle()
        await asyncio.to_thread(partial.abandon)

    def _open(self) -> tuple[Partial, BlockWriter]:
        if self._opened is None:
            raise RuntimeError("the file is not open")
        return self._opened
