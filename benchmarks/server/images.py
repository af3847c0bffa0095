"""The size of the images, as compressed archives, as far as they have been built on this machine."""

import os
import re
from pathlib import Path

from localcluster.settings import from_environment

from benchmarks.server.comparison import NEW, US, Cell, Comparison, Unit, failed

_PUBLISHED = {"slim": "430 MB, it says", "full": "4 GB, it says"}
"""What Open Terminal's own documents say of its images."""
_NAMES = {"slim": "terminal", "full": "terminal-full"}


def measure(_rounds: int = 1) -> list[Comparison]:
    """Look for both."""
    folder = from_environment(os.environ).images_dir
    return [
        Comparison(
            f"image, {target}",
            Unit.BYTES,
            {NEW: failed(_PUBLISHED[target]), US: _size(folder, name)},
        )
        for target, name in _NAMES.items()
    ]


def _size(folder: Path, name: str) -> Cell:
    archives = [
        path for path in folder.glob("*/image.tar") if re.fullmatch(rf"{name}-[0-9a-f]+", path.parent.name)
    ]
    if not archives:
        return failed("not built")
    return Cell(float(max(archives, key=lambda path: path.stat().st_mtime).stat().st_size))
