"""Writes the prompt that tells a model what it works on, for clients that put it before every chat."""

import platform
import re
from collections.abc import Mapping

from terminal_server.description import System
from terminal_server.settings import Settings

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ADVICE = (
    "Its tools act on that system at once, and for real: look at what is there before you change it, read what a "
    "command prints, and check that it did what was wanted. No output means success for most commands. Files and "
    "running processes stay from one message to the next."
)


def written(settings: Settings, system: System) -> str:
    """Return the prompt: the one that is set, its variables filled in, or our own."""
    if settings.system_prompt:
        return filled_in(settings.system_prompt, variables(system))
    parts = ["You can use a computer.", system.sentence(), _ADVICE]
    return "\n\n".join([" ".join(parts), *([settings.info] if settings.info else [])])


def variables(system: System) -> dict[str, str]:
    """Return what a prompt can be filled in with. The names are those of Open Terminal."""
    uname = platform.uname()
    return {
        "os": uname.system,
        "kernel": uname.release,
        "arch": uname.machine,
        "hostname": system.host,
        "user": system.user,
        "shell": system.shell,
        "python_version": _version(system.python),
        "home": system.directory,
    }


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """Replace each `{{name}}` by its value; names that are not known stay as they are."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def _version(python: str) -> str:
    found = re.search(r"\d+(\.\d+)+\S*", python)
    return found[0] if found else ""
