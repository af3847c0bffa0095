"""The answers of contract 2."""

import json
from typing import Literal

from pydantic import BaseModel, Field

from terminal_server.commands.registry import Command
from terminal_server.commands.views import View, text_of

_EXIT_CODE = "The shell's exit code, 128 + N if signal N ended it; null while it runs."
_LOG_PATH = "A file with all of the output, as it was printed; null if it could not be written."


class OutputEntry(BaseModel):
    """A piece of output."""

    type: Literal["stdout", "stderr", "notice"] = Field(
        description="The stream it was printed to; a notice says what is left out, and why."
    )
    data: str = Field(description="The text.")


class Listed(BaseModel):
    """A command in a list."""

    id: str = Field(description="Names the command in other calls.")
    command: str = Field(description="What runs, or ran; shortened if it is very long.")
    status: Literal["running", "done", "killed"] = Field(description="What has become of it.")
    exit_code: int | None = Field(description=_EXIT_CODE)
    log_path: str | None = Field(description=_LOG_PATH)


class Report(Listed):
    """A command, and some of its output."""

    cwd: str = Field(description="Where it was started.")
    output: list[OutputEntry] = Field(description="What it printed, in order.")
    next_offset: int = Field(description="The offset to ask for what it prints later.")
    truncated: bool = Field(description="Whether there is more output than is shown.")


class FullReport(Report):
    """The same, with each stream in one piece, for clients that read only these."""

    stdout: str = Field(default="", description="What it printed to its standard output.")
    stderr: str = Field(default="", description="What it printed to its standard error.")


def listed(command: Command) -> bytes:
    """Return a command as lists have it, which are asked for every second."""
    if command.listed is not None:
        return command.listed
    made = encoded(
        {
            "id": command.id,
            "command": command.text,
            "status": command.status,
            "exit_code": command.exit_code,
            "log_path": command.log_path,
        }
    )
    if command.ended.is_set() and command.log.settled:
        command.listed = made
    return made


def report(
    command: Command, view: View, *, streams: bool = False, on_screen: bool = False
) -> dict[str, object]:
    """Return a command with output.

    Args:
        command: the command.
        view: the output.
        streams: each stream in one piece, too.
        on_screen: lines end as on the screen of a terminal, which moves down with LF, and back to the left with CR.
    """
    answer: dict[str, object] = {
        "id": command.id,
        "command": command.text,
        "cwd": str(command.cwd),
        "status": command.status,
        "exit_code": command.exit_code,
        "log_path": command.log_path,
        "output": [
            {"type": entry.kind, "data": _on_screen(entry.text) if on_screen else entry.text}
            for entry in view.entries
        ],
        "next_offset": view.next_offset,
        "truncated": view.truncated,
    }
    if streams:
        answer["stdout"] = text_of(command.log, view, "stdout")
        answer["stderr"] = text_of(command.log, view, "stderr")
    return answer


def _on_screen(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def encoded(answer: object) -> bytes:
    """Return an answer as it is sent."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
