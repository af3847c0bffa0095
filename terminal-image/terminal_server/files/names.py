"""Names of files that are no text.

The kernel takes any bytes for a name, JSON only text. Such a name is shown with U+FFFD in the place of what is
no UTF-8, and what was shown is understood when it comes back, as long as it fits one file only.
"""

import errno
import os
import re
from pathlib import Path
from urllib.parse import quote

_UNKNOWN = "\ufffd"


def shown(path: str | Path) -> str:
    """Return a path or a name as text that can be sent."""
    return os.fsencode(path).decode("utf-8", "replace")


def disposition(use: str, name: str) -> str:
    """Return a Content-Disposition header for a file of this name, for old clients and new ones."""
    plain = re.sub(r"[^\w .()+,=@~-]|[^\x20-\x7e]", "_", shown(name))
    exact = quote(shown(name), safe="")
    return f'{use}; filename="{plain}"' + ("" if plain == name else f"; filename*=utf-8''{exact}")


def found(path: Path) -> Path:
    """Return the path of what was shown as `path`. May block.

    Raises:
        OSError: more than one file is shown like that.
    """
    if _UNKNOWN not in str(path) or os.path.lexists(path):
        return path
    place = Path(path.anchor)
    for part in path.parts[1:]:
        place /= _entry(place, part) if _UNKNOWN in part else part
    return place


def _entry(folder: Path, name: str) -> str:
    if os.path.lexists(folder / name):
        return name
    try:
        with os.scandir(folder) as entries:
            alike = [entry.name for entry in entries if shown(entry.name) == name]
    except OSError:
        return name
    if len(alike) > 1:
        raise OSError(errno.EINVAL, f"{len(alike)} files are shown as {name!r}")
    return alike[0] if alike else name
