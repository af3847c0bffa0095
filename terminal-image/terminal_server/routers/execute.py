"""Running commands: the answer at the end, or a stream of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator
from starlette.types import Receive, Scope, Send

from terminal_server.commands.jsontext import escaped
from terminal_server.commands.output import Capture
from terminal_server.commands.streaming import Lines, StreamedCommand, gone
from terminal_server.engine import Feed, Process, SpawnError
from terminal_server.services import Services, Shared

SUMMARY = "Run a shell command and return its exit code, standard output and standard error."
_CLIENT_GONE = 499


Streamed = Annotated[
    bool, Query(description="Send the output as lines of JSON (application/x-ndjson) while the command runs.")
]


class Command(BaseModel):
    """What to run."""

    command: str = Field(
        description="Shell command to run. Pipes, redirections, && and ; work as in a shell.",
        examples=["echo hello", "ls -la && whoami"],
    )
    timeout: float | None = Field(
        default=30.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds after which the command and all it started are ended (exit_code: -1). "
        "null for no limit.",
    )

    @field_validator("command")
    @classmethod
    def _can_be_run(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("a command cannot hold a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("a command cannot hold half a surrogate pair") from None
        return value


class Result(BaseModel):
    """How it went."""

    exit_code: int = Field(
        description="0 = success, other = error, 128 + N = ended by signal N, -1 = out of time."
    )
    stdout: str = Field(description="Standard output.")
    stderr: str = Field(description="Standard error.")


def create_router(command_limit_bytes: int) -> APIRouter:
    """Return the route of `/execute`."""
    router = APIRouter()

    @router.post(
        "/execute",
        operation_id="execute_execute_post",
        summary="Execute a command",
        description=SUMMARY,
        response_model=Result,
        responses={401: {"description": "Invalid or missing API key."}},
        max_body_size=command_limit_bytes,
    )
    async def execute(
        body: Command,
        request: Request,
        services: Shared,
        stream: Streamed = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        if stream:
            lines = Lines()
            process = await _start(body.command, services, lines.feed)
            return StreamedCommand(process, lines, body.timeout)
        capture = Capture(services.settings.spill_dir, services.settings.output_limit_bytes)
        try:
            return await _answer(body, request, services, capture)
        except BaseException:
            capture.close()
            raise

    return router


async def _start(command: str, services: Services, feed: Feed) -> Process:
    home = services.settings.home
    try:
        # A home that was removed must not lock its user out.
        return await services.engine.spawn(command, cwd=home if home.is_dir() else Path("/"), feed=feed)
    except SpawnError as error:
        raise HTTPException(503, str(error)) from None


async def _answer(body: Command, request: Request, services: Services, capture: Capture) -> Response:
    process = await _start(body.command, services, capture.feed)
    running = asyncio.create_task(process.run(body.timeout))
    leaving = asyncio.create_task(gone(request.receive))
    try:
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = running.done()
        for task in (running, leaving):
            task.cancel()
        await asyncio.gather(running, leaving, return_exceptions=True)
    if not ended:
        capture.close()
        return Response(status_code=_CLIENT_GONE)
    await capture.finish()
    pieces = _pieces(running.result(), capture)
    if capture.on_disk:
        return _FromDisk(pieces, capture)
    return Response(b"".join(pieces), media_type="application/json")


def _pieces(exit_code: int, capture: Capture) -> Iterator[bytes]:
    yield b'{"exit_code":%d,"stdout":"' % exit_code
    yield from escaped(capture.chunks("stdout"))
    yield b'","stderr":"'
    yield from escaped(capture.chunks("stderr"))
    yield b'"}'


async def _read_by_workers(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


class _FromDisk(StreamingResponse):
    """An answer too large for memory."""

    def __init__(self, pieces: Iterator[bytes], capture: Capture) -> None:
        super().__init__(_read_by_workers(pieces), media_type="application/json")
        self._capture = capture

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give the space back however that ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._capture.close()
