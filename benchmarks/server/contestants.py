"""Who takes part: how each is started, and how its calls are written."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from benchmarks.server import bare, peers
from benchmarks.server.comparison import FLOOR, NEW, OLD, US

KEY = "the-key-of-the-benchmarks-0123456789"


@dataclass(frozen=True)
class Contestant:
    """A server that can be started: its command, to which the port is added, and what is its own in its calls."""

    name: str
    command: Sequence[str]
    variables: dict[str, str] = field(default_factory=dict)
    execute: str = "/execute?wait=120"
    """The call of `/execute` that waits for the end of a command."""
    upload_folder: str = "directory"
    """What the call for uploads calls the folder."""
    polled: frozenset[str] = frozenset()
    """Which of the calls that clients repeat all the time it has."""
    streams: bool = False
    shells: bool = True

    def upload(self, folder: Path) -> str:
        """Return the call that takes a file."""
        return f"/files/upload?{self.upload_folder}={quote(str(folder))}"


STATUS = "/execute/ID/status"
POLLED = ("/execute", STATUS, "/openapi.json", "/skills")


@cache
def bare_application() -> Contestant:
    """Return the floor."""
    return Contestant(FLOOR, (sys.executable, str(bare.__file__)))


@cache
def servers() -> tuple[Contestant, ...]:
    """Return both peers and us; the peers are installed at need."""
    address = ("run", "--host", "127.0.0.1", "--port")
    return (
        Contestant(
            OLD,
            (str(peers.program(OLD)), *address),
            execute="/execute",
            upload_folder="dir",
            polled=frozenset({"/openapi.json"}),
            streams=True,
            shells=False,
        ),
        Contestant(NEW, (str(peers.program(NEW)), *address), polled=frozenset(POLLED)),
        Contestant(
            US,
            (sys.executable, "-m", "terminal_server", *address),
            {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            polled=frozenset(POLLED),
            streams=True,
        ),
    )
