"""Tells whether a recorded process is still that process: a pid alone may have been given out again."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import files

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the closing bracket of the name


@dataclass(frozen=True)
class Identity:
    """A process of this boot: its pid and when it started, in clock ticks since the boot."""

    pid: int
    started: int
    boot: str


def identity(pid: int) -> Identity | None:
    """Who has this pid now; None if nobody, or a zombie."""
    try:
        fields = _stat_fields(pid)
    except OSError:
        return None
    if fields[0] == "Z":
        return None
    return Identity(pid, int(fields[_START_TIME_FIELD]), boot())


def record(path: Path, who: Identity) -> None:
    """Write an identity where `recorded` finds it."""
    files.write(path, json.dumps(asdict(who)) + "\n")


def recorded(path: Path) -> Identity | None:
    """The process named in a file if it is still alive; None for a stale, damaged or absent file."""
    try:
        data = json.loads(path.read_text())
        who = Identity(int(data["pid"]), int(data["started"]), str(data["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return who if identity(who.pid) == who else None


def children(pid: int) -> list[int]:
    """Direct children of a process."""
    return [child for child in _pids() if _parent(child) == pid]


def end(who: Identity, seconds: float) -> bool:
    """Kill a process unless its pid has changed hands, and wait until it is gone."""
    deadline = time.monotonic() + seconds
    while identity(who.pid) == who:
        os.kill(who.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def host_pids(namespace: str) -> dict[int, int]:
    """For each live process of a pid namespace, its pid inside: its pid out here."""
    found = {}
    for pid in _pids():
        try:
            if str((_PROC / str(pid) / "ns/pid").readlink()) == namespace and identity(pid):
                status = (_PROC / str(pid) / "status").read_text()
                line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
                found[int(line.split()[-1])] = pid
        except (OSError, StopIteration):
            continue
    return found


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _parent(pid: int) -> int | None:
    try:
        return int(_stat_fields(pid)[1])
    except OSError:
        return None


def _stat_fields(pid: int) -> list[str]:
    """Fields after the name, which may itself hold spaces and brackets."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def boot() -> str:
    """Which start of the machine this is."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
