"""A file that output waits in when memory has no room for it.

It has no name, so nothing is left behind, however the server ends. Everything here may block.
"""

import os
import tempfile
from pathlib import Path
from threading import Lock

_CHUNK = 256 * 1024


class SpillSpace:
    """The disk for such files: a folder, and how much they may take together."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self.directory = directory
        self.most_bytes = most_bytes
        self._used = 0
        self._lock = Lock()

    def take(self, size: int) -> int:
        """Return how many of so many bytes may be used."""
        with self._lock:
            granted = min(size, self.most_bytes - self._used)
            self._used += granted
            return granted

    def give_back(self, size: int) -> None:
        """Say that bytes are not used any more."""
        with self._lock:
            self._used -= size


class SpillFile:
    """Bytes that are read in the order they were written in. The file is made when it is first needed."""

    def __init__(self, space: SpillSpace) -> None:
        self._space = space
        self._taken = 0
        self._descriptor: int | None = None
        self._closed = False
        self._written = 0
        self._read = 0
        # Who closes it may come while another thread still writes: the number would soon be another file's.
        self._lock = Lock()
        self.problem: str | None = None
        """Why no more can be written."""

    @property
    def unread(self) -> int:
        """How many bytes wait to be read."""
        return self._written - self._read

    def write(self, data: bytes) -> bytes:
        """Write at the end, and return what could not be. That is the last that is written."""
        rest = memoryview(data)
        with self._lock:
            if self._closed:
                return b""
            try:
                if self._descriptor is None:
                    self._descriptor = self._create()
                if not self.unread:
                    # What was read makes place.
                    self._written = self._read = 0
                end = self._room(self._written + len(rest))
                while rest and self._written < end:
                    written = os.pwrite(self._descriptor, rest[: end - self._written], self._written)
                    self._written += written
                    rest = rest[written:]
                if rest:
                    self.problem = f"all output that waits has at most {self._space.most_bytes} bytes"
            except OSError as error:
                self.problem = error.strerror or str(error)
        return bytes(rest)

    def read(self) -> bytes:
        """Return the next bytes, some of those that wait.

        Raises:
            OSError: they cannot be read.
        """
        with self._lock:
            if self._descriptor is None:
                return b""
            data = os.pread(self._descriptor, min(_CHUNK, self.unread), self._read)
            if not data:
                raise OSError(None, "what was written is not there any more")
            self._read += len(data)
            return data

    def close(self) -> None:
        """Give the space back."""
        with self._lock:
            self._closed = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
                self._space.give_back(self._taken)

    def _room(self, end: int) -> int:
        """Take what a file of a size needs more than it has; return how large it may be."""
        self._taken += self._space.take(max(0, end - self._taken))
        return min(end, self._taken)

    def _create(self) -> int:
        directory = self._space.directory
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            return os.dup(file.fileno())
