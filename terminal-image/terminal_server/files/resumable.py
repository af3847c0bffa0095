"""Uploads that can be resumed after a broken connection, or a restart of the server.

What has arrived lies beside the target, so that the end is only a change of name. What is known of it lies in a
folder of the server: a small file per upload. How much there is, the file itself says.
"""

import contextlib
import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

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
        os.close(os.open(upload.partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        try:
            self._record(upload.id).write_text(json.dumps(asdict(upload)))
        except OSError:
            self.end(upload)
            raise
        return upload

    def find(self, upload_id: str) -> tuple[Upload, int] | None:
        """Return an upload and how much of it has arrived, None if there is none, or not any more."""
        if not _ID.fullmatch(upload_id):
            return None
        try:
            upload = Upload(**json.loads(self._record(upload_id).read_text()))
            return upload, upload.partial.stat().st_size
        except (OSError, ValueError, TypeError):
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
                    record.unlink(missing_ok=True)
                elif time.time() - found[0].partial.stat().st_mtime > self._retention:
                    self.end(found[0])

    def _record(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"
