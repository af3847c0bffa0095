"""Every image this repository makes: its name in the cluster and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError
from localcluster.nodeconfig import PAUSE_IMAGE
from localcluster.settings import CLUSTER_DIR, REPOSITORY
from localcluster.tools import MODULE, module_version

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Image:
    """One image: `short` names it on the command line, `name` in the cluster."""

    short: str
    name: str
    dockerfile: Path
    context: Path | None = None
    target: str = ""


def project_images() -> tuple[Image, ...]:
    """The images that users of this project run."""
    registry = "ghcr.io/terminal-operator"
    operator, terminal = REPOSITORY / "operator", REPOSITORY / "terminal-image"
    return (
        Image("operator", f"{registry}/terminal-operator:0.1.0", operator / "Dockerfile", operator),
        Image("terminal", f"{registry}/terminal:0.1.0-slim", terminal / "Dockerfile", terminal, "slim"),
        Image("terminal-full", f"{registry}/terminal:0.1.0", terminal / "Dockerfile", terminal, "full"),
    )


def node_images() -> tuple[Image, ...]:
    """The images the native node itself needs, each of one program built by `tools`."""
    return (
        _of_program("pause", PAUSE_IMAGE),
        _of_program("coredns", "localhost/coredns:1"),
        _of_program("volumes", "localhost/volumes:1"),
        _of_program("traefik", traefik_image()),
    )


def traefik_image() -> str:
    """Traefik under the name it has in the registry: kind fetches it, native builds it, one manifest."""
    version = module_version((MODULE / "go.mod").read_text(), "github.com/traefik/traefik/v3")
    return f"docker.io/library/traefik:{version}"


def find(wanted: str) -> Image:
    """The image called so, by its short name or its name in the cluster."""
    for image in (*project_images(), *node_images()):
        if wanted in {image.short, image.name}:
            return image
    known = ", ".join(image.short for image in (*project_images(), *node_images()))
    raise ClusterError(f"There is no image {wanted!r} here; known: {known}.")


def _of_program(program: str, name: str) -> Image:
    return Image(program, name, CLUSTER_DIR / "images.d" / program / "Dockerfile")
