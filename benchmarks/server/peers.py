"""The peers' own environments: made on first use in the cache outside the tree, keyed by their lock file."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from localcluster.settings import from_environment

_LOCKS = Path(__file__).parents[1] / "peers"


def program(version: str) -> Path:
    """Return the command of Open Terminal of a version, which is installed if it is not there."""
    lock = _LOCKS / f"open-terminal-{version}.lock"
    key = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = from_environment(os.environ).cache / f"peer-{version}-{key}"
    if not (folder / "complete").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "peers.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                _install(lock, folder)
    return folder / "bin/open-terminal"


def _install(lock: Path, folder: Path) -> None:
    print(f"Installing {lock.stem} to compare with (once) ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", str(lock)], check=True)
    (folder / "complete").touch()
