"""The two ways to have a cluster, behind the same verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from localcluster import hosttools
from localcluster.kind import Kind
from localcluster.native import Native

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localcluster.imagelist import Image
    from localcluster.settings import Settings
    from localcluster.status import Status


class Backend(Protocol):
    """What every backend can do; each raises ClusterError with a message for the caller."""

    def up(self) -> None:
        """Make the cluster run, whatever state it is in; return when it is ready for work."""

    def down(self) -> None:
        """End the cluster; harmless if there is none."""

    def status(self) -> Status:
        """What is up and what is not."""

    def build(self, images: Sequence[Image]) -> None:
        """Build images whose content changed."""

    def load(self, image: Image) -> None:
        """Build an image if needed and put it into the node unless that very image is there."""

    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""

    def programs_path(self) -> Path | None:
        """Folder of kubectl and helm; None if they are on PATH."""

    def logs_command(self, component: str, *, follow: bool) -> list[str]:
        """The command that prints a component's log; raises with the known names for an unknown one."""

    def exec_command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another inside the node."""

    def known_images(self) -> Sequence[Image]:
        """The images that `images build all` makes."""


def choose(settings: Settings) -> Backend:
    """The backend asked for, or the one this machine can have."""
    if settings.backend == "kind" or (settings.backend == "auto" and hosttools.docker_answers()):
        return Kind(settings)
    return Native(settings)
