"""`POST /execute`, in both contracts: which one a call wants is seen by what it brings."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from terminal_server.commands.answers import FullReport, encoded, report
from terminal_server.commands.output import Capture
from terminal_server.commands.registry import TooManyError
from terminal_server.commands.request import PlacedRequest, Request, TimedRequest
from terminal_server.commands.streaming import Lines, StreamedCommand
from terminal_server.commands.views import look
from terminal_server.commands.whole import Result, WholeAnswer
from terminal_server.engine import BadFolderError, Feed, Process, SpawnError, Stdin, TooLargeError
from terminal_server.routers.common import NEEDS_KEY, located, make_router
from terminal_server.routers.direct import direct_to
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller, Session
from terminal_server.settings import Settings

MOST_WAIT_SECONDS = 300
_STREAM = "Send the output as lines of JSON (application/x-ndjson) while the command runs."
_WAIT = (
    "Seconds to wait for the command to end. If it takes longer it goes on, and get_process_status tells how it "
    "fares. 0 starts it only, as is best for servers."
)
_TAIL = "Show only so many entries at the end of the output."

Streamed = Annotated[bool | None, Query(description=_STREAM)]
HiddenStreamed = Annotated[bool | None, Query(include_in_schema=False)]
Wait = Annotated[float | None, Query(ge=0, le=MOST_WAIT_SECONDS, allow_inf_nan=False, description=_WAIT)]
HiddenWait = Annotated[
    float | None, Query(ge=0, le=MOST_WAIT_SECONDS, allow_inf_nan=False, include_in_schema=False)
]
Tail = Annotated[int | None, Query(ge=1, description=_TAIL)]
HiddenTail = Annotated[int | None, Query(ge=1, include_in_schema=False)]


def create_router(settings: Settings) -> APIRouter:
    """Return the route, described as the contract of the settings has it; both are understood."""
    if settings.execute_contract == 1:
        router = make_router(route_class=direct_to(TimedRequest))
        _add_first(router, settings)
    else:
        router = make_router(route_class=direct_to(PlacedRequest))
        _add_second(router, settings)
    return router


def _add_first(router: APIRouter, settings: Settings) -> None:
    @router.post(
        "/execute",
        operation_id="execute_execute_post",
        summary="Execute a command",
        description="Run a shell command and return its exit code, standard output and standard error.",
        response_model=Result,
        responses=NEEDS_KEY,
        max_body_size=settings.command_limit_bytes,
    )
    async def execute(
        body: TimedRequest,
        services: Shared,
        session: Caller,
        *,
        stream: Streamed = None,
        wait: HiddenWait = None,
        tail: HiddenTail = None,
    ) -> Response:
        return await _Call(services, session, body).answer(stream=stream, wait=wait, tail=tail)


def _add_second(router: APIRouter, settings: Settings) -> None:
    limit = settings.answer_limit_bytes // 1024

    @router.post(
        "/execute",
        operation_id="run_command",
        summary="Execute a command",
        description="Run a shell command. It waits for the command's end, "
        f"{settings.execute_wait_seconds:g} s unless `wait` says otherwise; a command that takes longer goes on in "
        "the background, and get_process_status, send_process_input and kill_process work on its `id`. An answer "
        f"shows up to {limit} KiB of output, its head and its tail; all of it is in the file `log_path`. Each "
        "command is a shell of its own: `cd` and variables do not last.",
        response_model=FullReport,
        responses=NEEDS_KEY,
        max_body_size=settings.command_limit_bytes,
    )
    async def execute(
        body: PlacedRequest,
        services: Shared,
        session: Caller,
        *,
        wait: Wait = None,
        tail: Tail = None,
        stream: HiddenStreamed = None,
    ) -> Response:
        return await _Call(services, session, body).answer(stream=stream, wait=wait, tail=tail)


class _Call:
    """One call."""

    def __init__(self, services: Services, session: Session, body: Request) -> None:
        self._services = services
        self._session = session
        self._body = body
        self._cwd = located(body.cwd, services, session) if body.cwd else None

    async def answer(self, *, stream: bool | None, wait: float | None, tail: int | None) -> Response:
        contract = self._contract(stream=stream, wait=wait, tail=tail)
        if contract == 2:  # noqa: PLR2004 - as it is called
            return await self._report(wait, tail)
        if stream:
            lines = Lines()
            process, _ = await self._start(lines.feed)
            return StreamedCommand(process, lines, self._body.timeout)
        return await self._whole()

    def _contract(self, *, stream: bool | None, wait: float | None, tail: int | None) -> int:
        """A call with marks of both is answered by contract 1: a time limit must be kept."""
        if self._body.wants_timeout or stream is not None:
            return 1
        if self._body.wants_place or wait is not None or tail is not None:
            return 2
        return self._services.settings.execute_contract

    async def _whole(self) -> Response:
        capture = Capture(self._services.spills, self._services.settings.output_limit_bytes)
        process, _ = await self._start(capture.feed)
        return WholeAnswer(process, capture, self._body.timeout)

    async def _report(self, wait: float | None, tail: int | None) -> Response:
        settings = self._services.settings
        try:
            command = await self._services.commands.start(
                self._body.command, self._session, lambda feed: self._start(feed, Stdin.TERMINAL)
            )
        except TooManyError as error:
            raise HTTPException(429, str(error)) from None
        await command.wait(settings.execute_wait_seconds if wait is None else wait)
        view = await look(command.log, offset=None, tail=tail, budget=settings.answer_limit_bytes)
        plain = wait is None and tail is None and not self._body.wants_place
        return Response(encoded(report(command, view, streams=plain)), media_type="application/json")

    async def _start(self, feed: Feed, stdin: Stdin = Stdin.NOTHING) -> tuple[Process, Path]:
        try:
            return await self._services.starter.start(self._body, self._session, self._cwd, feed, stdin)
        except BadFolderError as error:
            raise HTTPException(422, f"cwd: {error}") from None
        except TooLargeError as error:
            raise HTTPException(422, str(error)) from None
        except SpawnError as error:
            raise HTTPException(503, str(error)) from None
