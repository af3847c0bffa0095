"""Changes text files as an editor would: encoding and line ends stay what they were. Its functions may block."""

import os
from collections.abc import Sequence
from pathlib import Path

from terminal_server.documents.kinds import BEGINNING_BYTES, kind_of
from terminal_server.encodings import UTF8, Encoding, NotTextError, detect, marked, with_line_ends_of
from terminal_server.files.downloads import open_regular
from terminal_server.files.incoming import save
from terminal_server.files.replacing import Replacement, replaced
from terminal_server.files.unfinished import Unfinished


class EditError(Exception):
    """The file cannot be changed like this; `status` says why, as HTTP does."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def write(target: Path, content: str, *, limit_bytes: int, unfinished: Unfinished) -> int:
    """Write all of a file, and return its size. Of one larger than the limit only the byte order mark is kept.

    Raises:
        EditError: the file is a document, and the content is none.
        UnicodeEncodeError: the content holds half a surrogate pair.
        OSError: it cannot be written.
    """
    beginning, old = _known(target, limit_bytes)
    kind = kind_of(target, beginning)
    if kind is not None and kind_of(target, content[:BEGINNING_BYTES].encode("utf-8", "replace")) != kind:
        raise EditError(
            409,
            "This is a document, and what was read is only its text: remove it first, or use another name",
        )
    data = (marked(beginning) or UTF8).encode(content) if old is None else _like(old, content)
    save(target, data, unfinished)
    return len(data)


def replace(target: Path, wanted: Sequence[Replacement], *, limit_bytes: int, unfinished: Unfinished) -> int:
    """Replace strings in a file, and return its size then.

    Raises:
        ReplaceError: one of them cannot be replaced.
        EditError: the file is too large, is no text, or was changed meanwhile.
        OSError: it cannot be read or written.
    """
    descriptor = open_regular(target)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        if before.st_size > limit_bytes:
            raise EditError(413, f"Only files of at most {limit_bytes} bytes can be changed like this")
        old = file.read()
    encoding = _encoding(target, old)
    data = encoding.encode(replaced(encoding.decode(old), wanted))
    if _identity(target.stat()) != _identity(before):
        raise EditError(409, "Somebody else has changed the file meanwhile: read it again")
    save(target, data, unfinished)
    return len(data)


def _known(path: Path, limit_bytes: int) -> tuple[bytes, bytes | None]:
    """Return the beginning of what a file holds that is to be written, and all of it, unless it is too large."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return b"", b""  # Writing it says what is wrong, if anything is.
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if os.fstat(descriptor).st_size > limit_bytes:
            return file.read(BEGINNING_BYTES), None
        old = file.read()
        return old[:BEGINNING_BYTES], old


def _encoding(path: Path, content: bytes) -> Encoding:
    if kind_of(path, content[:BEGINNING_BYTES]) is not None:
        raise EditError(415, "This is a document, and no text")
    try:
        return detect(content)
    except NotTextError:
        raise EditError(415, "This file is no text") from None


def _like(old: bytes, content: str) -> bytes:
    try:
        encoding = detect(old)
    except NotTextError:
        return UTF8.encode(content)
    return encoding.encode(with_line_ends_of(encoding.decode(old), content))


def _identity(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_ino, state.st_mtime_ns, state.st_size
