"""Uploads that can be resumed after a broken connection, or a restart of the server.

What has arrived lies beside the target, so that the end is only a change of name. What is known of it lies in a
folder of the server: a small file per upload, the record. How much there is, the file itself says.

The record is made first: a server that is killed leaves a record of nothing, which is found, never bytes nobody knows
of. It is locked until the bytes have their file, so that nobody, another server at the same home neither, takes
it for such a leftover before.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from terminal_server.files.incoming import real_target
from terminal_server.files.unfinished import PREFIX

MOST = 64
_ID = re.compile(r"[0-9a-f]{32}")


class TooManyUploadsError(Exception):
    """No more uploads can be begun."""


@dataclass(frozen=True)
class Upload:
    """An upload that was begun."""

    id: str
    target: str
    size: int

    @property
    def partial(self) -> Path:
        """Where its bytes are until it is complete."""
        return Path(self.target).parent / f"{PREFIX}{self.id}"


class Uploads:
    """The uploads that can be resumed. Its methods may block, and raise OSError."""

    def __init__(self, folder: Path, retention_seconds: float) -> None:
        self._folder = folder
        self._retention = retention_seconds

    def begin(self, target: Path, size: int) -> Upload:
        """Begin an upload to `target`.

        Raises:
            TooManyUploadsError: there are too many already.
        """
        self.expire()
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(list(self._folder.iterdir())) >= MOST:
            raise TooManyUploadsError
        upload = Upload(secrets.token_hex(16), str(real_target(target)), size)
        upload.partial.parent.mkdir(parents=True, exist_ok=True)
        with self._new_record(upload.id) as record:
            try:
                record.write(json.dumps(asdict(upload)))
                record.flush()
                os.close(os.open(upload.partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
            except OSError:
                self._record(upload.id).unlink(missing_ok=True)
                raise
        return upload

    def find(self, upload_id: str) -> tuple[Upload, int] | None:
        """Return an upload and how much of it has arrived, None if there is none, or not any more."""
        if not _ID.fullmatch(upload_id):
            return None
        try:
            upload = Upload(**json.loads(self._record(upload_id).read_text()))
            return upload, upload.partial.stat().st_size
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def end(self, upload: Upload) -> None:
        """Remove what is left of an upload."""
        upload.partial.unlink(missing_ok=True)
        self._record(upload.id).unlink(missing_ok=True)

    def expire(self) -> None:
        """Remove what nobody has gone on with for too long."""
        with contextlib.suppress(OSError):
            for record in list(self._folder.iterdir()):
                found = self.find(record.stem)
                if found is None:
                    self._remove_leftover(record)
                elif time.time() - found[0].partial.stat().st_mtime > self._retention:
                    self.end(found[0])

    def _new_record(self, upload_id: str) -> TextIO:
        """Make a record, locked for as long as it is open."""
        while True:
            record = self._record(upload_id).open("x")
            with contextlib.suppress(OSError):
                fcntl.flock(record, fcntl.LOCK_EX)
            if os.fstat(record.fileno()).st_nlink:
                return record
            # Somebody found it before it was locked, and removed it.
            record.close()

    def _remove_leftover(self, record: Path) -> None:
        """Remove a record of nothing, unless its upload is only being begun."""
        with contextlib.suppress(FileNotFoundError), record.open() as file:
            if not _is_held(file) and self.find(record.stem) is None:
                record.unlink()

    def _record(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"


def _is_held(record: TextIO) -> bool:
    """Tell whether somebody else has locked it. If not, it is locked now, where the disk knows locks."""
    try:
        fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False
