"""Interactive shells: made, listed and ended over HTTP, used over a WebSocket."""

import asyncio
from pathlib import Path

from fastapi import HTTPException, WebSocket
from pydantic import BaseModel, Field, field_validator

from terminal_server.engine import InputClosedError, SpawnError
from terminal_server.routers.common import SMALL_BODY_BYTES, make_router
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller, Session
from terminal_server.shells import connection
from terminal_server.shells.plain import plain
from terminal_server.shells.shell import Shell
from terminal_server.shells.shells import TooManyShellsError

_READ_CHARACTERS = 64 * 1024
_READ_BYTES = 16 * _READ_CHARACTERS
"""Where it may stand, since colours and titles take bytes too. What is before that is not looked at."""
_INPUT_CHARACTERS = 64 * 1024
_INPUT_SECONDS = 10.0
_NO_SHELL = "There is no such terminal"
_NO_USER_SHELL = "The user has no terminal open"

router = make_router()


class Terminal(BaseModel):
    """An interactive shell."""

    id: str
    created_at: str = Field(description="When it was started, in ISO 8601.")
    pid: int = Field(description="The process id of the shell.")


class Output(BaseModel):
    """What a terminal shows."""

    output: str = Field(description="The last output, oldest first, without colours and control characters.")


class Typed(BaseModel):
    """What to type."""

    input: str = Field(
        max_length=_INPUT_CHARACTERS,
        description="The text exactly as it is to be typed. End a command line with a newline to run it; "
        r"control keys are characters too, such as \u0003 for Ctrl-C.",
        examples=["ls -la\n"],
    )

    @field_validator("input")
    @classmethod
    def _can_be_typed(cls, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("an input cannot hold half a surrogate pair") from None
        return value


class Done(BaseModel):
    """It was done."""

    status: str = Field(default="ok", description="`ok`.")


@router.post("/api/terminals", include_in_schema=False)
async def open_terminal(services: Shared, session: Caller) -> Terminal:
    """Give a caller a shell: the one it has lost the connection to, else a new one."""
    try:
        return _described(await services.shells.open(session, await _directory(services, session)))
    except TooManyShellsError:
        most = services.settings.max_shells
        raise HTTPException(429, f"There are {most} terminals already, the most there may be") from None
    except SpawnError as error:
        raise HTTPException(503, str(error)) from None


@router.get("/api/terminals", include_in_schema=False)
async def list_terminals(services: Shared, session: Caller) -> list[Terminal]:
    """List the shells of the caller."""
    return [_described(shell) for shell in services.shells.of(session)]


@router.get(
    "/api/terminals/user/output",
    operation_id="read_user_terminal",
    summary="Read the user's terminal",
    description="Returns what the interactive terminal the user works in shows, and has shown last (at most 64 KiB). "
    "Use it when the user refers to their terminal, and before you type into it: a program may be running there. "
    "It opens no terminal; 404 if the user has none.",
)
async def read_user_terminal(services: Shared, session: Caller) -> Output:
    """Return what the user sees."""
    content = _of_user(services, session).content(_READ_BYTES)
    return Output(output=await asyncio.to_thread(plain, content, _READ_CHARACTERS))


@router.post(
    "/api/terminals/user/input",
    operation_id="send_user_terminal_input",
    summary="Type into the user's terminal",
    description="Types text into the interactive terminal the user works in, for the shell or whatever program runs "
    "there; the user sees it. Read the terminal first. It does not wait for what the text does: read the terminal "
    "again to see. To run a command for yourself, use run_command instead. 404 if the user has no terminal.",
    max_body_size=SMALL_BODY_BYTES,
)
async def send_user_terminal_input(body: Typed, services: Shared, session: Caller) -> Done:
    """Type for the user."""
    shell = _of_user(services, session)
    try:
        async with asyncio.timeout(_INPUT_SECONDS):
            await shell.type(body.input.encode())
    except InputClosedError:
        raise HTTPException(409, "The terminal has just been closed") from None
    except TimeoutError:
        raise HTTPException(409, "What runs in the terminal does not read its input") from None
    return Done()


@router.get("/api/terminals/{shell_id}", include_in_schema=False)
async def get_terminal(shell_id: str, services: Shared, session: Caller) -> Terminal:
    """Describe a shell of the caller."""
    return _described(_of_caller(services, session, shell_id))


@router.delete("/api/terminals/{shell_id}", include_in_schema=False)
async def delete_terminal(shell_id: str, services: Shared, session: Caller) -> dict[str, str]:
    """End a shell and everything it has started."""
    await services.shells.end(_of_caller(services, session, shell_id))
    return {"status": "deleted"}


@router.websocket("/api/terminals/{shell_id}")
async def use_terminal(socket: WebSocket, shell_id: str, services: Shared, session: Caller) -> None:
    """Show a shell to a client, and let it type."""
    proof = await connection.proven(socket, services.keys)
    if proof is None:
        return
    chat = proof.get("chat_id")
    said = session._replace(chat=session.chat or (chat if isinstance(chat, str) else ""))
    shell = services.shells.get(shell_id)
    if shell is None or not _is_meant(shell, said):
        await connection.close(socket, connection.NOT_THERE)
        return
    await connection.show(socket, shell, services.activity)


def _is_meant(shell: Shell, said: Session) -> bool:
    """Whether a shell is that of the user and the chat, as far as they are said.

    Not every client can say both with a WebSocket; who knows the id, and has the key, has been told it.
    """
    return said.user in {"", shell.session.user} and said.chat in {"", shell.session.chat}


def _of_caller(services: Services, session: Session, shell_id: str) -> Shell:
    shell = services.shells.get(shell_id)
    if shell is None or shell.session != session:
        raise HTTPException(404, _NO_SHELL)
    return shell


def _of_user(services: Services, session: Session) -> Shell:
    shell = services.shells.current(session)
    if shell is None:
        raise HTTPException(404, _NO_USER_SHELL)
    return shell


def _described(shell: Shell) -> Terminal:
    moment = shell.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Terminal(id=shell.id, created_at=moment, pid=shell.pid)


async def _directory(services: Services, session: Session) -> Path:
    """Return where the session is; if that place is gone, its home, or what there is."""
    wanted = services.directories.get(session), services.settings.home
    return await asyncio.to_thread(_first_folder, wanted)


def _first_folder(paths: tuple[Path, ...]) -> Path:
    return next((path for path in paths if path.is_dir()), Path("/"))
