"""Describes the system to whoever decides what to run on it: a model reads this before it writes a command."""

import asyncio
import os
import platform
import pwd
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from terminal_server.engine import Engine, Program, SpawnError, collect
from terminal_server.settings import Settings

_PYTHON_SECONDS = 5.0
_VERSION_BYTES = 1024


@dataclass(frozen=True)
class System:
    """What the commands of this server find."""

    kernel: str
    host: str
    user: str
    shell: str
    python: str
    directory: str

    def sentence(self) -> str:
        """Return it as text."""
        return (
            f"The system is {self.kernel} on host {self.host}. Commands run as user '{self.user}' "
            f"with {self.shell}. {self.python}. The working directory is {self.directory}."
        )


async def look(settings: Settings, engine: Engine) -> System:
    """Look at the system as a command would see it."""
    uname = platform.uname()
    return System(
        kernel=f"{_distribution()} ({uname.system} {uname.release} {uname.machine})",
        host=socket.gethostname(),
        user=_user(),
        shell=settings.shell,
        python=await _python(engine),
        directory=str(settings.start),
    )


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


async def _python(engine: Engine) -> str:
    """The Python of the commands, which is not the one that runs this server."""
    if await asyncio.to_thread(shutil.which, "python3", path=engine.environment.get("PATH")) is None:
        return "Python is not installed"
    asked = Program([engine.shell, "-c", "exec python3 --version"], Path("/"))
    try:
        code, printed = await collect(engine, asked, seconds=_PYTHON_SECONDS, most_bytes=_VERSION_BYTES)
    except SpawnError:
        code, printed = 1, b""
    version = printed.decode(errors="replace").strip()
    return f"{version} is available as python3" if code == 0 and version else "Python does not work"
