"""Files that appear under their name only when they are complete, and on the disk."""

import asyncio
import contextlib
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

_BLOCK_BYTES = 1024 * 1024


class IncomingFile:
    """A file being written next to where it will be. Leaving the `async with` without `commit` removes it.

    Raises OSError from each of its methods, as the file system does.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.size = 0
        self._partial = target.parent / f".upload-{secrets.token_hex(8)}"
        self._descriptor: int | None = None
        self._block = bytearray()

    async def __aenter__(self) -> Self:
        """Create the folder and the unfinished file."""
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is unfinished."""
        if self._descriptor is not None:
            await asyncio.shield(asyncio.to_thread(self._abandon))

    async def write(self, data: bytes) -> None:
        """Add bytes."""
        self._block += data
        self.size += len(data)
        if len(self._block) >= _BLOCK_BYTES:
            await self._flush()

    async def commit(self) -> None:
        """Give the file its name, replacing what had it."""
        await self._flush()
        await asyncio.to_thread(self._commit)

    async def _flush(self) -> None:
        block, self._block = self._block, bytearray()
        await asyncio.to_thread(self._write, block)

    def _open(self) -> None:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.target.is_dir():
            raise IsADirectoryError(21, "There is a folder of this name", str(self.target))
        self.target = self.target.resolve()
        self._partial = self.target.parent / self._partial.name
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(self._partial, flags, 0o666)
        with contextlib.suppress(OSError):
            old = self.target.stat()
            if stat.S_ISREG(old.st_mode):
                os.fchmod(self._descriptor, stat.S_IMODE(old.st_mode))

    def _write(self, block: bytearray) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._file(), rest) :]

    def _commit(self) -> None:
        os.fsync(self._file())
        self._partial.replace(self.target)
        os.close(self._file())
        self._descriptor = None

    def _abandon(self) -> None:
        os.close(self._file())
        self._descriptor = None
        self._partial.unlink(missing_ok=True)

    def _file(self) -> int:
        if self._descriptor is None:
            raise RuntimeError("the file is not open")
        return self._descriptor
