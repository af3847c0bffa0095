"""Files that a test compares whole, and that one command writes anew.

`REFRESH_GOLDEN=1 scripts/python -m pytest tests/chart` is that command.
"""

import os
from pathlib import Path


def golden(path: Path, content: str) -> str:
    """Return what a golden file holds; with REFRESH_GOLDEN=1 in the environment, write it first."""
    if os.environ.get("REFRESH_GOLDEN") == "1":
        path.write_text(content, encoding="utf-8")
    return path.read_text(encoding="utf-8")
