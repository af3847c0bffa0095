"""Files to work with: random bytes, the same in every run."""

import random
from pathlib import Path

MEBIBYTE = 1024 * 1024


def write_random(path: Path, mebibytes: int) -> Path:
    """Write so many mebibytes of bytes that cannot be compressed."""
    source = random.Random(mebibytes)  # noqa: S311 - nothing secret
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(source.randbytes(MEBIBYTE))
    return path
