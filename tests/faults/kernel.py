"""What the kernel says of a server: its processes, its open files, its memory."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.running import Server, children, until

_LAST_STEPS_SECONDS = 1.0


@dataclass(frozen=True)
class Holdings:
    """What a server has."""

    descriptors: tuple[str, ...]
    children: int
    threads: int


def holdings(server: Server) -> Holdings:
    """Look; descriptors by what they lead to, without the numbers that tell one pipe from another."""
    if os.geteuid() != 0:
        pytest.skip("only root may see the open files of a server, which hides them")
    pid = server.process.pid
    kinds = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            kinds.append(os.readlink(path).split(":")[0])  # noqa: PTH115 - of a pipe it is no path
    return Holdings(tuple(sorted(kinds)), len(children(pid)), len(list(Path(f"/proc/{pid}/task").iterdir())))


async def settled(server: Server) -> Holdings:
    """Return what a server has when nothing is asked of it, and the last of what it did is over."""
    seen, since = holdings(server), time.monotonic()

    def unchanged() -> bool:
        nonlocal seen, since
        now = holdings(server)
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > _LAST_STEPS_SECONDS

    await until(unchanged, "the server came to rest")
    return seen


def resident_bytes(server: Server) -> int:
    """Return how much memory is the server's now."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
