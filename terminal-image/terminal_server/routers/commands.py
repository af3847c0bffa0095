"""The commands of a session: which there are, how they fare, what they read, and their end."""

import asyncio
from typing import Annotated

from fastapi import HTTPException, Path, Query, Response
from pydantic import BaseModel, Field

from terminal_server.commands.answers import Listed, Report, encoded, listed, report
from terminal_server.commands.registry import Command
from terminal_server.commands.request import Text
from terminal_server.commands.typed import meant, parts
from terminal_server.commands.views import look
from terminal_server.engine import InputClosedError
from terminal_server.routers.common import NEEDS_KEY, make_router
from terminal_server.routers.execute import MOST_WAIT_SECONDS
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller, Session

_INPUT_LIMIT_BYTES = 4 * 1024**2
_INPUT_SECONDS = 10.0

router = make_router(responses={**NEEDS_KEY, 404: {"description": "No such command in this session."}})

CommandId = Annotated[str, Path(description="The `id` that run_command returned.")]
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=MOST_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Seconds to wait for the command to end; the answer comes as soon as it has.",
    ),
]
Offset = Annotated[
    int | None,
    Query(
        ge=0,
        description="Show only what comes after so many entries: the next_offset of an earlier answer shows what is "
        "new. Without, all output is shown, its middle left out if it is much.",
    ),
]
Tail = Annotated[int | None, Query(ge=1, description="Show only so many entries at the end of the output.")]
Force = Annotated[bool, Query(description="End it at once, without letting it clean up.")]


class Typed(BaseModel):
    """What is sent."""

    input: Text = Field(
        description="Text for the command's standard input; end a line with a newline. The character \\x03 "
        "interrupts the command as Ctrl-C would, \\x04 ends its input as Ctrl-D would. Escapes such as \\n and \\x03 "
        "may be written out if the text has no real control character.",
        examples=["yes\n"],
    )


class Done(BaseModel):
    """It worked."""

    status: str = Field(description="ok")


class Killed(BaseModel):
    """It has ended."""

    status: str = Field(description="killed")


@router.get(
    "/execute",
    operation_id="list_processes",
    summary="List commands",
    description="List the commands of this session that run or have run, the oldest first.",
    response_model=list[Listed],
)
async def list_processes(services: Shared, session: Caller) -> Response:
    """List commands."""
    found = b",".join([listed(command) for command in services.commands.of(session)])
    return Response(b"[%b]" % found, media_type="application/json")


@router.get(
    "/execute/{process_id}/status",
    operation_id="get_process_status",
    summary="Get a command's status and output",
    description="Tell whether a command still runs, its exit code, and what it has printed. Reading takes nothing "
    "away. Ask with `wait` instead of asking again and again.",
    response_model=Report,
)
async def get_process_status(
    process_id: CommandId,
    services: Shared,
    session: Caller,
    wait: Wait = 0,
    offset: Offset = None,
    tail: Tail = None,
) -> Response:
    """Tell how a command fares."""
    command = _found(process_id, services, session)
    await command.wait(wait)
    view = await look(command.log, offset=offset, tail=tail, budget=services.settings.answer_limit_bytes)
    # Open WebUI asks so, and hands the output to a terminal as it is. What it ran in was one with its peer.
    on_screen = offset is not None and tail is not None
    return _json(report(command, view, on_screen=on_screen))


@router.post(
    "/execute/{process_id}/input",
    operation_id="send_process_input",
    summary="Send input to a command",
    description="Write text to the standard input of a command that runs, to answer what it asks; or interrupt it.",
    response_model=Done,
    max_body_size=_INPUT_LIMIT_BYTES,
)
async def send_process_input(
    process_id: CommandId, body: Typed, services: Shared, session: Caller
) -> Response:
    """Send input."""
    command = _found(process_id, services, session)
    try:
        async with asyncio.timeout(_INPUT_SECONDS):
            await _type(command, meant(body.input))
    except TimeoutError:
        raise HTTPException(
            409, f"input: the command did not read all of it within {_INPUT_SECONDS:g} s"
        ) from None
    except InputClosedError:
        raise HTTPException(400, "input: the command has ended, or its input has") from None
    return _json({"status": "ok"})


@router.delete(
    "/execute/{process_id}",
    operation_id="kill_process",
    summary="End a command",
    description="End a command and all it started: first it is asked to, and a moment later it is made to.",
    response_model=Killed,
)
async def kill_process(
    process_id: CommandId, services: Shared, session: Caller, *, force: Force = False
) -> Response:
    """End a command."""
    await services.commands.kill(_found(process_id, services, session), force=force)
    return _json({"status": "killed"})


async def _type(command: Command, text: str) -> None:
    stdin = command.process.stdin
    if stdin is None or command.ended.is_set():
        raise InputClosedError
    for part in parts(text):
        if part == "interrupt":
            command.process.interrupt()
        elif part == "end":
            await stdin.end()
        else:
            await stdin.write(part)


def _found(process_id: str, services: Services, session: Session) -> Command:
    command = services.commands.get(process_id, session)
    if command is None:
        raise HTTPException(404, "There is no such command in this session.")
    return command


def _json(answer: object) -> Response:
    return Response(encoded(answer), media_type="application/json")
