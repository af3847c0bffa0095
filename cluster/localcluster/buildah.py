"""Builds images without a Docker engine, with a storage of our own in the cache."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import commands, processes

if TYPE_CHECKING:
    from localcluster.progress import Step
    from localcluster.settings import Settings

# Build steps that reach a package index must trust what this machine trusts. A mount does that without
# leaving anything in the image.
_CERTIFICATES = Path("/etc/ssl/certs")
_PIP_SETTINGS = Path("/etc/pip.conf")


class Buildah:
    """buildah with its storage below the cache."""

    def __init__(self, settings: Settings) -> None:
        storage = settings.cache / "buildah"
        # What is mounted is noted in the second folder, and true only until the machine is started again.
        run = storage / f"run-{processes.boot()}"
        self._command = (
            *("buildah", "--root", str(storage / "storage"), "--runroot", str(run)),
            *("--storage-driver", "overlay"),
        )

    def exists(self, name: str) -> bool:
        """Whether the storage has an image."""
        return commands.succeeds([*self._command, "inspect", "--type", "image", name])

    def build(
        self, name: str, dockerfile: Path, context: Path, *, target: str = "", base: str = "", step: Step
    ) -> None:
        """Build a Dockerfile as it would be by docker."""
        mounts = [path for path in (_CERTIFICATES, _PIP_SETTINGS) if path.exists()]
        command = [
            *(*self._command, "build", "--isolation", "chroot", "--network", "host", "--layers"),
            # A build that fails would leave what it had made so far, gigabytes at times, where nobody looks.
            "--force-rm",
            *(part for path in mounts for part in ("--volume", f"{path}:{path}:ro")),
            *(("--target", target) if target else ()),
            *(("--build-arg", f"BASE_IMAGE={base}") if base else ()),
            *("--file", str(dockerfile), "--tag", name, str(context)),
        ]
        commands.run(command, step=step)

    def save(self, name: str, archive: Path) -> str:
        """Write an image to an archive and return its digest.

        Zstandard at its fastest: an OCI archive is always compressed, and gzip is slow at both ends.
        """
        compression = ("--compression-format", "zstd", "--compression-level", "1")
        commands.run([*self._command, "push", *compression, name, f"oci-archive:{archive}:{name}"])
        return archive_digest(archive)


def archive_digest(archive: Path) -> str:
    """The digest of the one image in an OCI archive."""
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        if index is None:
            raise AssertionError("index.json is a file in every OCI archive")
        return str(json.load(index)["manifests"][0]["digest"])
