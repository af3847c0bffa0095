"""The whole command line, made from the settings: each is an option too."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from terminal_server import open_terminal
from terminal_server.settings import PREFIX, Settings

_ABOUT = (
    "Serve until stopped. Every option is also an environment variable, named below; an option wins. "
    "The variables of Open Terminal are understood as well."
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of `terminal-server`."""
    whole = argparse.ArgumentParser(
        prog="terminal-server",
        description="A shell over HTTP, for OpenAPI and MCP tool clients.",
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve until stopped", allow_abbrev=False, description=_ABOUT)
    for name, field in Settings.model_fields.items():
        names = ["--" + name.replace("_", "-"), *open_terminal.OPTIONS.get(name, [])]
        run.add_argument(*names, dest=name, metavar="VALUE", help=_help(name, field), default=None)
    return whole


def given(arguments: Sequence[str]) -> Mapping[str, Any]:
    """Return the settings that stand on the command line, as they stand there.

    Raises:
        SystemExit: they are wrong (2), or help was asked for and is printed (0).
    """
    if list(arguments) == ["run"]:
        return {}  # at every start: making the parser takes longer than anything else here
    values = vars(parser().parse_args(arguments))
    return {name: value for name, value in values.items() if name != "command" and value is not None}


def _help(name: str, field: FieldInfo) -> str:
    variables = [PREFIX + name.upper()]
    if name in open_terminal.ALIASES:
        variables.append(open_terminal.PREFIX + open_terminal.ALIASES[name])
    text = f"{field.description} [{', '.join(variables)}]"
    if field.default is not PydanticUndefined and field.default not in {None, ""}:
        text += f" (default {_shown(field.default)})"
    return text.replace("%", "%%")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
