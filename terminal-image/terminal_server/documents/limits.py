"""Holds this process to what a document may take. What goes beyond ends it."""

import os
import resource
from collections.abc import Iterator
from typing import IO

from terminal_server.documents.problems import DocumentError

_MEMORY_BYTES = 1024**3
_UNPACKED_BYTES = 256 * 1024**2
_CHUNK = 64 * 1024


def hold(cpu_seconds: int) -> None:
    """Set the limits of the process."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It writes nothing but its answer, which is a pipe.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(5)


class Unpacked:
    """Counts what comes out of an archive: a few kilobytes in it can be petabytes."""

    def __init__(self, limit_bytes: int = _UNPACKED_BYTES) -> None:
        self._left = limit_bytes

    def chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield a file's content.

        Raises:
            DocumentError: there is more than the limit.
        """
        while chunk := file.read(_CHUNK):
            self._left -= len(chunk)
            if self._left < 0:
                raise DocumentError("The document holds too much when it is unpacked", 413)
            yield chunk
