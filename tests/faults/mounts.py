"""Disks of a server's own: small, without inodes, read-only. Nobody but the server sees them, and they end with it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.contract.running import Server


def on_disk(**folders: str) -> tuple[str, ...]:
    """Return what a server is to be started with for some of its folders to be disks in memory.

    Args:
        folders: options of tmpfs, by the variable of the environment that names the folder.
    """
    mounts = "".join(
        f'mkdir -p "${name}"; mount -t tmpfs -o mode=700,{options} disk "${name}"; '
        for name, options in folders.items()
    )
    return mounting("sh", "-ec", f'{mounts}exec "$@"', "sh")


def mounting(*program: str) -> tuple[str, ...]:
    """Return what a server is to be started with for it to have mounts of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the disks that are made to fail")
    return ("unshare", "--mount", "--propagation", "private", *program)


def inside(server: Server) -> tuple[str, ...]:
    """Return what a program is to be started with to see and make mounts of a server."""
    return ("nsenter", "--mount", "--target", str(server.process.pid))


def seen_by(server: Server, path: Path) -> Path:
    """Return a path by which this process finds what the server sees at `path`."""
    return Path(f"/proc/{server.process.pid}/root{path}")


def remount(server: Server, path: Path, options: str) -> None:
    """Mount a disk of the server again with other options."""
    subprocess.run([*inside(server), "mount", "-o", f"remount,{options}", str(path)], check=True)
