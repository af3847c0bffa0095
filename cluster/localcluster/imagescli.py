"""`cluster/images`: builds the images of this repository."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from localcluster import imagelist
from localcluster.cli import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localcluster.backend import Backend


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status is 0 if it did what it says."""
    parser = argparse.ArgumentParser(
        prog="cluster/images", description="Builds images; unchanged content is not built again."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    build = verbs.add_parser("build", help="build images whose content changed")
    build.add_argument("images", nargs="+", metavar="NAME", help="a name that `list` shows, or all")
    build.set_defaults(run=_build)
    verbs.add_parser("list", help="show every image").set_defaults(run=_list)
    arguments = parser.parse_args(argv)
    return guarded(lambda chosen: int(arguments.run(chosen, arguments) or 0))


def _build(chosen: Backend, arguments: argparse.Namespace) -> None:
    everything = "all" in arguments.images
    chosen.build(chosen.known_images() if everything else [imagelist.find(name) for name in arguments.images])


def _list(chosen: Backend, _: argparse.Namespace) -> None:
    for image in chosen.known_images():
        print(f"{image.short:<24} {image.name}")
