"""The node's own image store: what is in it, putting an image in, and emptying it of containers."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import nodeconfig
from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcluster.settings import Settings
    from localcluster.tools import Tools

_NAMESPACE = "k8s.io"
_START_SECONDS = 20
_CRI_STATE = ("io.containerd.grpc.v1.cri", "io.containerd.runtime.v2.task")


class ImageStore:
    """The containerd of one node; `enter` is what a command needs in front to reach it from outside."""

    def __init__(self, settings: Settings, tools: Tools, enter: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._tools = tools
        self._ctr = (*enter, tools.program("ctr"), "--address", nodeconfig.CONTAINERD_SOCKET)

    def digests(self) -> dict[str, str]:
        """Each image's name and the digest it stands for."""
        rows = [line.split() for line in self._run("images", "list").splitlines()[1:]]
        return {row[0]: row[2] for row in rows}

    def import_archive(self, archive: Path) -> None:
        """Put an image in, ready to run."""
        self._run("images", "import", str(archive))

    def drop_containers(self) -> None:
        """Forget the containers of an earlier run, which would confuse a kubelet that never knew them.

        Done by a containerd that knows images only: the full one would first bring them back to life.
        """
        if not (self._settings.containerd_dir / "io.containerd.metadata.v1.bolt").exists():
            return
        for name in _CRI_STATE:
            shutil.rmtree(self._settings.containerd_dir / name, ignore_errors=True)
        with self._images_only():
            for kind in ("containers", "sandboxes"):
                if leftover := self._identifiers(kind):
                    self._run(kind, "rm", *leftover)

    def _identifiers(self, kind: str) -> list[str]:
        return [line.split()[0] for line in self._run(kind, "list").splitlines()[1:] if line.strip()]

    @contextmanager
    def _images_only(self) -> Iterator[None]:
        config = self._settings.etc_dir / "containerd-images-only.toml"
        log = self._settings.logs_dir / "containerd-images-only.log"
        with (
            log.open("w") as output,
            subprocess.Popen(
                [self._tools.program("containerd"), "-c", str(config)], stdout=output, stderr=output
            ) as process,
        ):
            deadline = time.monotonic() + _START_SECONDS
            try:
                while subprocess.run([*self._ctr, "version"], capture_output=True, check=False).returncode:
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise ClusterError(f"containerd does not start; see {log}")
                    time.sleep(0.05)
                yield
            finally:
                process.terminate()
        Path(nodeconfig.CONTAINERD_SOCKET).unlink(missing_ok=True)

    def _run(self, *arguments: str) -> str:
        command = [*self._ctr, "--namespace", _NAMESPACE, *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise ClusterError(f"ctr {' '.join(arguments[:2])} failed:\n{answer.stderr.strip()}")
        return answer.stdout
