"""What a client may call a file, and where that is."""

import os
from pathlib import Path

NAME_BYTES = 255
_DEFAULT_NAME = "upload"


class BadNameError(ValueError):
    """A path or a name that cannot be one."""


def absolute(path: str, home: Path, start: Path | None = None) -> Path:
    """Return where `path` leads, as a shell's `cd` would see it: from `start`, else from home, if it is relative.

    Raises:
        BadNameError: it is empty or holds a NUL.
    """
    if not path or "\0" in path:
        raise BadNameError("a path must not be empty or hold a NUL character")
    if path == "~" or path.startswith("~/"):
        path, start = "." + path[1:], home
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise BadNameError("a path must be valid Unicode") from None
    return Path(os.path.normpath((start or home) / path))


def file_name(name: str) -> str:
    """Return the name a file is stored under: the last part of what the client calls it, whatever its system.

    Raises:
        BadNameError: nothing usable is left.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if last in {".", ".."} or "\0" in last:
        raise BadNameError(f"not a file name: {last!r}")
    if len(last.encode("utf-8", "replace")) > NAME_BYTES:
        raise BadNameError(f"a file name has at most {NAME_BYTES} bytes")
    return last or _DEFAULT_NAME
