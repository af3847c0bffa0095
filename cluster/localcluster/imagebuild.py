"""Builds images when their content changed, and only then.

An image is named after everything it is made of; an archive with that name in the cache, or a label in
the Docker engine, means that there is nothing to do.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcluster import baseimage, commands, files, hosttools, tools
from localcluster.buildah import Buildah
from localcluster.errors import ClusterError
from localcluster.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localcluster.imagelist import Image
    from localcluster.settings import Settings

LABEL = "dev.terminal-operator.content-key"
_FORMAT = "3"  # change it when archives are made differently
_NOT_CONTENT = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".venv"})


@dataclass(frozen=True)
class Archive:
    """An image as a file that a node can import."""

    name: str
    path: Path
    digest: str


def content_key(settings: Settings, image: Image) -> str:
    """Name what an image is made of: its Dockerfile, its context or program, its base."""
    if not image.dockerfile.exists():
        raise ClusterError(f"{image.dockerfile} does not exist, so {image.short} cannot be built.")
    parts: list[bytes | str] = [_FORMAT, image.name, image.target, image.dockerfile.read_text()]
    if image.context is None:
        return files.content_key([*parts, tools.locate(settings).root.name])
    return files.content_key([*parts, baseimage.key(), *files.tree_parts(image.context, _NOT_CONTENT)])


def ensure_archives(settings: Settings, images: Iterable[Image]) -> list[Archive]:
    """Return the archives of some images, building those that are missing or out of date."""
    return [_known(settings, image) or _build(settings, image) for image in images]


def build_with_docker(image: Image) -> None:
    """Build an image with the Docker engine, unless it has it."""
    if image.context is None:
        raise ClusterError(f"{image.short} belongs to the native node; kind brings its own.")
    parts = [_FORMAT, image.name, image.target, image.dockerfile.read_text()]
    key = files.content_key([*parts, *files.tree_parts(image.context, _NOT_CONTENT)])
    found = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image.name]
    if commands.succeeds(found) and commands.output(found).strip() == key:
        return
    with step(f"image {image.short}") as current:
        commands.run(docker_build(image, image.context, key), step=current)


def docker_build(image: Image, context: Path, key: str) -> list[str]:
    """The command that builds an image with docker."""
    return [
        *("docker", "build", "--label", f"{LABEL}={key}", "--file", str(image.dockerfile)),
        *(("--target", image.target) if image.target else ()),
        *("--tag", image.name, str(context)),
    ]


def _folder(settings: Settings, image: Image) -> Path:
    return settings.images_dir / f"{image.short}-{content_key(settings, image)}"


def _known(settings: Settings, image: Image) -> Archive | None:
    folder = _folder(settings, image)
    try:
        return Archive(image.name, folder / "image.tar", (folder / "digest").read_text())
    except FileNotFoundError:
        return None


def _build(settings: Settings, image: Image) -> Archive:
    hosttools.require("Building images", {"buildah": "buildah"})
    with files.exclusive(settings.cache / "images.lock"):
        if found := _known(settings, image):  # by whoever held the lock before
            return found
        buildah = Buildah(settings)
        base = baseimage.ensure(settings, buildah) if image.context else ""
        context = image.context or tools.locate(settings).bin
        folder = _folder(settings, image)
        with step(f"image {image.short}") as current, files.building(folder) as unfinished:
            buildah.build(image.name, image.dockerfile, context, target=image.target, base=base, step=current)
            files.write(unfinished / "digest", buildah.save(image.name, unfinished / "image.tar"))
        for older in settings.images_dir.glob(f"{image.short}-*"):
            if older != folder and older.name.removeprefix(f"{image.short}-").isalnum():
                shutil.rmtree(older)
        return Archive(image.name, folder / "image.tar", (folder / "digest").read_text())
