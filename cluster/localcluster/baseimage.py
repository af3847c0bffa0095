"""A Debian base image made by debootstrap from Debian's own mirrors, for machines without a registry."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import commands, files, hosttools
from localcluster.progress import step
from localcluster.settings import CLUSTER_DIR

if TYPE_CHECKING:
    from localcluster.buildah import Buildah
    from localcluster.settings import Settings

SUITE = "trixie"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
_DOCKERFILE = CLUSTER_DIR / "images.d/base/Dockerfile"
# What a package manager fetches again when it is wanted, and what belongs to the machine that built this.
_LEFT_OUT = (
    "./var/cache/apt/archives/*.deb",
    "./var/cache/apt/*.bin",
    "./var/lib/apt/lists/*",
    "./var/log/*.log",
    "./etc/resolv.conf",
    "./etc/hostname",
)


def key() -> str:
    """Changes when the base would be made differently."""
    return files.content_key([SUITE, *PACKAGES, *_LEFT_OUT, _DOCKERFILE.read_text()])


def name() -> str:
    """The base as a Dockerfile's FROM finds it."""
    return f"localhost/terminal-operator-base:{key()}"


def ensure(settings: Settings, buildah: Buildah) -> str:
    """Make the base unless the storage has it, and return its name. Hold the builder's lock."""
    if buildah.exists(name()):
        return name()
    hosttools.require("Building images", hosttools.IMAGES)
    work = settings.cache / "debootstrap"
    files.remove(work)
    work.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=work) as folder, step("base image (debootstrap)") as current:
        root, archive = Path(folder) / "rootfs", Path(folder) / "rootfs.tar"
        mirror = [settings.debian_mirror] if settings.debian_mirror else []
        include = f"--include={','.join(PACKAGES)}"
        commands.run(["debootstrap", "--variant=minbase", include, SUITE, str(root), *mirror], step=current)
        left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        commands.run(["tar", "--numeric-owner", *left_out, "-C", str(root), "-cf", str(archive), "."])
        buildah.build(name(), _DOCKERFILE, Path(folder), step=current)
    files.remove(work)
    return name()
