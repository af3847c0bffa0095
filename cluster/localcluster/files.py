"""Files that are whole or absent, however the writer ends; and a lock between callers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_UNFINISHED = ".unfinished-"
_KEY_LENGTH = 16


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock between processes; the kernel frees it when the holder ends, however it ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}{_UNFINISHED}{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    temporary.replace(path)


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Give a directory to fill that becomes `target` only if the body succeeds.

    What a killed predecessor left unfinished is removed first, so the caller must hold a lock.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f"{target.name}{_UNFINISHED}*"):
        remove(leftover)
    temporary = target.with_name(f"{target.name}{_UNFINISHED}{uuid.uuid4().hex}")
    temporary.mkdir()
    try:
        yield temporary
        remove(target)
        temporary.replace(target)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file or a whole tree, read-only folders (Go's module cache) included."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    if not path.exists():
        return
    for folder, _, _ in os.walk(path):
        mode = stat.S_IMODE(os.lstat(folder).st_mode)
        if mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(folder, mode | stat.S_IRWXU)  # noqa: PTH101 - os.walk gives strings
    shutil.rmtree(path)


def content_key(parts: Iterable[bytes | str]) -> str:
    """Name some content: equal parts, equal key; where one part ends and the next begins counts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:_KEY_LENGTH]


def tree_parts(root: Path, ignored: frozenset[str] = frozenset()) -> Iterator[bytes | str]:
    """Every file below a folder as path, kind and content, in a fixed order, for `content_key`.

    `ignored` are names of folders and files left out wherever they appear.
    """
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if ignored.intersection(relative.parts):
            continue
        if path.is_symlink():
            yield from (str(relative), "link", str(path.readlink()))
        elif path.is_file():
            executable = "x" if path.stat().st_mode & stat.S_IXUSR else "-"
            yield from (str(relative), executable, path.read_bytes())
