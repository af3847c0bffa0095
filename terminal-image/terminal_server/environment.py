"""What commands find in their environment, and what a new home is furnished with."""

import os
import pwd
import shutil
from collections.abc import Mapping
from pathlib import Path

from terminal_server.settings import Settings

_OWN = ("TERMINAL_SERVER_", "OPEN_TERMINAL_")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SKELETON = Path("/etc/skel")


def for_commands(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the server's environment without what is the server's own, completed as a login would."""
    inherited = {name: value for name, value in environment.items() if not name.startswith(_OWN)}
    return {
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        # Who asks how a command fares wants to see what it printed; Python would hold that back until it has much.
        "PYTHONUNBUFFERED": "1",
        **_login(),
        **inherited,
        "HOME": str(settings.home),
        "SHELL": settings.shell,
    }


def _login() -> dict[str, str]:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return {}
    return {"USER": user, "LOGNAME": user}


def furnish(home: Path, skeleton: Path = _SKELETON) -> None:
    """Copy the system's first files into a home that is empty, as a new volume is. A failure changes nothing."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        if any(entry.name != "lost+found" for entry in home.iterdir()):
            return
        for entry in skeleton.iterdir():
            if entry.is_file():
                shutil.copyfile(entry, home / entry.name)
    except OSError:
        return
