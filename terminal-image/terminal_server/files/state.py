"""What the calls about files share."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from terminal_server.engine import Engine
from terminal_server.files.arriving import Arrivals
from terminal_server.files.preview import Previews
from terminal_server.files.resumable import Uploads
from terminal_server.files.unfinished import Unfinished
from terminal_server.files.worker import Worker
from terminal_server.settings import Settings

_LONG_AT_A_TIME = 2


class Turns:
    """Who changes a file does so alone; others have their turn."""

    def __init__(self) -> None:
        self._locks: dict[Path, asyncio.Lock] = {}
        self._wanted: Counter[Path] = Counter()

    @asynccontextmanager
    async def turn(self, path: Path) -> AsyncIterator[None]:
        """Wait for the turn at a file, and have it inside the block."""
        lock = self._locks.setdefault(path, asyncio.Lock())
        self._wanted[path] += 1
        try:
            async with lock:
                yield
        finally:
            self._wanted[path] -= 1
            if not self._wanted[path]:
                del self._wanted[path], self._locks[path]


@dataclass(frozen=True)
class Files:
    """What the calls about files share."""

    unfinished: Unfinished
    uploads: Uploads
    worker: Worker
    previews: Previews
    turns: Turns = field(default_factory=Turns)
    arrivals: Arrivals = field(default_factory=Arrivals)
    long: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LONG_AT_A_TIME))
    """For what holds a worker thread for long, such as the removal of a large tree: most threads stay free."""

    async def start(self) -> None:
        """Remove what an earlier server left behind."""
        await asyncio.to_thread(self.unfinished.clean_up)
        await asyncio.to_thread(self.uploads.expire)


def create_files(settings: Settings, engine: Engine) -> Files:
    """Return what the calls about files share, for a server with these settings."""
    unfinished = Unfinished(settings.spill_dir / "unfinished")
    uploads = Uploads(settings.spill_dir / "uploads", settings.upload_retention_seconds)
    return Files(unfinished, uploads, Worker(engine), Previews(engine, settings.spill_dir))
