"""Holds what a command prints until it is taken, all within a budget.

Who takes it as fast as a disk would has it past the disk. Otherwise only a little is in memory, and the rest waits on
disk: a slow reader does not slow the command down.
"""

import asyncio
import contextlib

from terminal_server.commands.spill import SpillFile, SpillSpace
from terminal_server.engine import Stream

MEMORY_BYTES = 128 * 1024
"""What fits memory. Output is taken in lots of this size at least, but for the last."""
_SMALL = 4096
_PATIENCE_SECONDS = 0.05
_DISK_BYTES_PER_SECOND = 200e6
"""A command may wait for its reader as long as it would for a disk that writes so much."""


class Spool:
    """The bytes of one stream, first to last."""

    def __init__(self, space: SpillSpace) -> None:
        self._file = SpillFile(space)
        self._pieces: list[bytes | bytearray] = []
        self._size = 0
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._room: asyncio.Future[None] | None = None
        self._room_wanted_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[bytes] | None = None
        self._patience: float | None = None
        self._spilled = False
        self._complete = False
        self.lost = 0
        """How many bytes could not be kept."""

    @property
    def problem(self) -> str | None:
        """Why."""
        return self._file.problem

    def feed(self, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes; when memory is used up, ask to wait until there is room."""
        if self.problem is not None:
            self.lost += len(data)
            return None
        self._add(data)
        if self._size >= MEMORY_BYTES:
            self._news.set()
        if self._size > 2 * MEMORY_BYTES and self._room is None:
            self._want_room()
        return self._room

    def finish(self) -> None:
        """Take note that nothing is fed any more."""
        self._complete = True
        self._news.set()

    async def take(self) -> bytes:
        """Wait for the next bytes, and return them; none at the end.

        Raises:
            OSError: they were written to disk, and cannot be read back.
        """
        if self._patience is None:
            self._patience = _PATIENCE_SECONDS
        while True:
            if self._writing is not None:
                await asyncio.wait([self._writing])
            elif self._file.unread:
                return await asyncio.to_thread(self._file.read)
            elif self._complete or self._size >= MEMORY_BYTES:
                return self._from_memory()
            else:
                self._news.clear()
                await self._news.wait()

    def close(self) -> None:
        """Give the space back."""
        if self._timer is not None:
            self._timer.cancel()
        if self._spilled:
            # It waits for who still writes. When the server has ended its threads, the file ends with it.
            with contextlib.suppress(RuntimeError):
                self._loop.run_in_executor(None, self._file.close)

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if len(data) >= _SMALL:
            self._pieces.append(data)
        elif self._pieces and isinstance(self._pieces[-1], bytearray):
            self._pieces[-1] += data
        else:
            self._pieces.append(bytearray(data))

    def _from_memory(self) -> bytes:
        size, count = 0, 0
        while size < MEMORY_BYTES and count < len(self._pieces):
            size += len(self._pieces[count])
            count += 1
        data = b"".join(self._pieces[:count])
        del self._pieces[:count]
        self._size -= size
        self._patience = (self._patience or 0.0) + size / _DISK_BYTES_PER_SECOND
        if self._room is not None and self._size <= 2 * MEMORY_BYTES:
            self._patience -= self._loop.time() - self._room_wanted_at
            self._make_room()
        return data

    def _want_room(self) -> None:
        """Have the reader take something; if there is none yet, or it takes too long, write all to disk."""
        self._room = self._loop.create_future()
        self._room_wanted_at = self._loop.time()
        if self._patience is None or self._patience <= 0:
            self._spill()
        else:
            self._timer = self._loop.call_later(self._patience, self._lose_patience)

    def _lose_patience(self) -> None:
        self._timer = None
        self._patience = 0.0
        self._spill()

    def _spill(self) -> None:
        self._spilled = True
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._writing = self._loop.run_in_executor(None, self._file.write, data)
        self._writing.add_done_callback(self._written)

    def _written(self, writing: "asyncio.Future[bytes]") -> None:
        self._writing = None
        if self.problem is not None and not writing.cancelled():
            self.lost += self._size
            self._pieces = [writing.result()]
            self._size = len(self._pieces[0])
        self._make_room()
        self._news.set()

    def _make_room(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._room is not None:
            self._room.set_result(None)
            self._room = None


class Capture:
    """Collects both streams of one command. Its `feed` is what the engine wants."""

    def __init__(self, space: SpillSpace, limit_bytes: int) -> None:
        self._spools: dict[Stream, Spool] = {"stdout": Spool(space), "stderr": Spool(space)}
        self._limit = limit_bytes
        self._accepted = 0
        self._dropped = 0

    def feed(self, stream: Stream, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes; when memory is used up, ask to wait until there is room."""
        taken = data[: self._limit - self._accepted]
        self._accepted += len(taken)
        self._dropped += len(data) - len(taken)
        return self._spools[stream].feed(taken)

    def finish(self) -> None:
        """Take note that nothing is fed any more."""
        for spool in self._spools.values():
            spool.finish()

    async def take(self, stream: Stream) -> bytes:
        """Wait for more of a stream, much or the last of it, and return it; nothing at the end.

        Raises:
            OSError: it was written to disk, and cannot be read back.
        """
        return await self._spools[stream].take()

    def note(self) -> str:
        """Return what to say of output that is missing."""
        notes = []
        if self._dropped:
            notes.append(
                f"{self._dropped} bytes of output are missing: more than {self._limit} bytes of a command"
            )
        for stream, spool in self._spools.items():
            if spool.lost:
                notes.append(f"{spool.lost} bytes of {stream} are lost: {spool.problem}")
        return "".join(f"\n[terminal-server: {note}]\n" for note in notes)

    def close(self) -> None:
        """Give the space back."""
        for spool in self._spools.values():
            spool.close()
