"""Holds what a command prints until it is asked for: a little in memory, the rest on disk, all within a budget.

The files have no name, so nothing is left behind, however the server ends.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from terminal_server.engine import Stream

MEMORY_BYTES = 128 * 1024
_CHUNK = 256 * 1024


class Spool:
    """The bytes of one stream, first to last. Its methods may block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: int | None = None
        self._on_disk = 0
        self._in_memory = b""
        self.lost = 0
        self.problem: str | None = None

    def keep(self, data: bytes) -> None:
        """Add the last bytes, in memory."""
        self._in_memory += data

    def write(self, data: bytes) -> None:
        """Add bytes, on disk. The first failure is remembered, and what comes after it is counted as lost."""
        if self.problem is not None:
            self.lost += len(data)
            return
        rest = memoryview(data)
        try:
            if self._file is None:
                self._file = self._create()
            while rest:
                written = os.write(self._file, rest)
                self._on_disk += written
                rest = rest[written:]
        except OSError as error:
            self.problem = error.strerror or str(error)
            self._in_memory = bytes(rest)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, in pieces of bounded size."""
        position = 0
        while self._file is not None and position < self._on_disk:
            chunk = os.pread(self._file, min(_CHUNK, self._on_disk - position), position)
            if not chunk:
                break
            position += len(chunk)
            yield chunk
        yield self._in_memory

    def close(self) -> None:
        """Give the space back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _create(self) -> int:
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._directory, buffering=0) as file:
            return os.dup(file.fileno())


class Capture:
    """Collects both streams of one command. Its `feed` is what the engine wants."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self._spools: dict[Stream, Spool] = {"stdout": Spool(directory), "stderr": Spool(directory)}
        self._pending: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._limit = limit_bytes
        self._accepted = 0
        self._dropped = 0
        self._flushing: asyncio.Future[None] | None = None
        self.on_disk = False
        """Whether reading it back may block."""

    def feed(self, stream: Stream, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes; when memory is used up, ask to wait until they are on disk."""
        taken = data[: self._limit - self._accepted]
        self._accepted += len(taken)
        self._dropped += len(data) - len(taken)
        self._pending[stream] += taken
        if self._flushing is None and sum(map(len, self._pending.values())) >= MEMORY_BYTES:
            self._flush()
        return self._flushing

    async def finish(self) -> None:
        """Make it complete; nothing is fed after this."""
        while self._flushing is not None:
            await asyncio.wait([self._flushing])
            await asyncio.sleep(0)
        for stream, data in self._take_pending().items():
            if self.on_disk:
                await asyncio.to_thread(self._spools[stream].write, data)
            else:
                self._spools[stream].keep(data)

    def chunks(self, stream: Stream) -> Iterator[bytes]:
        """Yield a stream's bytes; at the end of stderr a note, if any output is missing."""
        yield from self._spools[stream].chunks()
        if stream == "stderr":
            yield self._note().encode()

    def close(self) -> None:
        """Give the space back."""
        for spool in self._spools.values():
            spool.close()

    def _flush(self) -> None:
        self.on_disk = True
        pending = self._take_pending()

        def write() -> None:
            for stream, data in pending.items():
                self._spools[stream].write(data)

        self._flushing = asyncio.get_running_loop().run_in_executor(None, write)
        self._flushing.add_done_callback(self._flushed)

    def _flushed(self, _: "asyncio.Future[None]") -> None:
        self._flushing = None

    def _take_pending(self) -> dict[Stream, bytes]:
        taken: dict[Stream, bytes] = {stream: bytes(data) for stream, data in self._pending.items() if data}
        for data in self._pending.values():
            data.clear()
        return taken

    def _note(self) -> str:
        notes = []
        if self._dropped:
            notes.append(
                f"{self._dropped} bytes of output are missing: more than {self._limit} bytes of a command"
            )
        for stream, spool in self._spools.items():
            if spool.lost:
                notes.append(f"{spool.lost} bytes of {stream} are lost: {spool.problem}")
        return "".join(f"\n[terminal-server: {note}]\n" for note in notes)
