"""Makes a zip archive while it is sent: no copy on the disk, and one chunk of it in memory."""

import heapq
import os
import stat
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from terminal_server.files.downloads import open_regular
from terminal_server.files.names import shown

MOST_ENTRIES = 100_000
NOTE = "NOT-IN-THIS-ARCHIVE.txt"
_NOTE_LINES = 1000
_CHUNK = 256 * 1024
_LARGE = 2**30
_PACKED = frozenset(
    [
        ".7z",
        ".avif",
        ".bz2",
        ".docx",
        ".gif",
        ".gz",
        ".jpeg",
        ".jpg",
        ".m4a",
        ".mkv",
        ".mov",
        ".mp3",
        ".mp4",
        ".ogg",
        ".opus",
        ".png",
        ".pptx",
        ".rar",
        ".webm",
        ".webp",
        ".whl",
        ".woff2",
        ".xlsx",
        ".xz",
        ".zip",
        ".zst",
    ]
)


class Archive:
    """The content of some files and folders. Links stay links, so nothing from elsewhere gets in."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._left_out: list[str] = []
        self._entries = 0
        self._waiting = 0
        self._sink = _Sink()

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the archive, some hundred kilobytes at a time. Each step may block.

        Raises:
            OSError: a file could not be read to its end; what was sent is no whole archive then.
        """
        with ZipFile(self._sink, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            taken: set[str] = set()
            for path in self._paths:
                # Who names a link means what it leads to.
                yield from self._tree(archive, Path(os.path.realpath(path)), _unique(_name(path), taken))
            if self._left_out:
                archive.writestr(NOTE, "".join(f"{line}\n" for line in self._left_out))
        yield self._sink.take()

    def _tree(self, archive: ZipFile, top: Path, name: str) -> Generator[bytes, None, None]:
        levels: list[Iterator[tuple[Path, str]]] = [iter([(top, name)])]
        self._waiting += 1
        while levels:
            path, name = next(levels[-1], (None, ""))
            if path is None:
                levels.pop()
                continue
            self._waiting -= 1
            try:
                state = path.lstat()
                kind = stat.S_IFMT(state.st_mode)
                if self._entries >= MOST_ENTRIES:
                    self._leave_out(name, f"more than {MOST_ENTRIES} files")
                elif kind == stat.S_IFDIR:
                    inside = self._inside(path, name)
                    self._add(archive, _info(f"{name}/", state), b"")
                    levels.append(inside)
                elif kind == stat.S_IFLNK:
                    self._add(archive, _info(name, state), os.fsencode(path.readlink()))
                elif kind == stat.S_IFREG:
                    yield from self._file(archive, path, name)
                else:
                    self._leave_out(name, "not an ordinary file")
            except _UnreadableError as error:
                raise error.reason from None
            except OSError as error:
                self._leave_out(name, error.strerror or "it cannot be read")
            yield self._sink.take()

    def _inside(self, folder: Path, name: str) -> Iterator[tuple[Path, str]]:
        """Return what is in a folder, no more than there is room for: a folder may hold millions of names."""
        room = max(MOST_ENTRIES - self._entries - self._waiting - 1, 0)
        with os.scandir(folder) as entries:
            names = heapq.nsmallest(room + 1, (entry.name for entry in entries))
        if len(names) > room:
            self._leave_out(
                f"{name}/", f"not all that is in it, since there are more than {MOST_ENTRIES} files"
            )
            del names[room:]
        self._waiting += len(names)
        return ((folder / one, f"{name}/{_sane(one)}") for one in names)

    def _file(self, archive: ZipFile, path: Path, name: str) -> Generator[bytes, None, None]:
        descriptor = open_regular(path)
        try:
            state = os.fstat(descriptor)
            info = _info(name, state)
            if path.suffix.lower() in _PACKED:
                info.compress_type = ZIP_STORED
            self._entries += 1
            # What is added to the file from now on is not part of it.
            left = state.st_size
            with archive.open(info, "w", force_zip64=left >= _LARGE) as entry:
                while left and (chunk := _read(descriptor, min(_CHUNK, left))):
                    entry.write(chunk)
                    left -= len(chunk)
                    yield self._sink.take()
        finally:
            os.close(descriptor)

    def _add(self, archive: ZipFile, info: ZipInfo, content: bytes) -> None:
        self._entries += 1
        archive.writestr(info, content)

    def _leave_out(self, name: str, reason: str) -> None:
        if len(self._left_out) < _NOTE_LINES:
            self._left_out.append(f"{name}: {reason}")
        elif len(self._left_out) == _NOTE_LINES:
            self._left_out.append("… and more")


class _UnreadableError(Exception):
    """A file could not be read to its end."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _read(descriptor: int, size: int) -> bytes:
    try:
        return os.read(descriptor, size)
    except OSError as error:
        raise _UnreadableError(error) from error


class _Sink:
    """What a ZipFile writes to; it cannot go back in it, as is true of a connection."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        self._pieces.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _info(name: str, state: os.stat_result) -> ZipInfo:
    date = time.localtime(state.st_mtime)[:6]
    # The format knows the years 1980 to 2107.
    year = min(max(date[0], 1980), 2107)
    info = ZipInfo(name, (year, *date[1:]) if year == date[0] else (year, 1, 1, 0, 0, 0))
    info.compress_type = ZIP_DEFLATED
    info.file_size = state.st_size
    info.external_attr = state.st_mode << 16
    if stat.S_ISDIR(state.st_mode):
        info.external_attr |= 0x10
    return info


def _name(path: Path) -> str:
    return _sane(path.name) or "root"


def _sane(name: str) -> str:
    """Return a name no system takes for a path."""
    return shown(name).replace("\\", "_")


def _unique(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name} ({number})"
    taken.add(candidate)
    return candidate
