"""Sends what a command prints as lines of JSON while it runs, no faster than the client reads."""

import asyncio
import contextlib
from collections import deque

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from terminal_server.clients import gone, while_there
from terminal_server.commands.jsontext import Escaper, exit_line, line
from terminal_server.engine import Process, Stream

_HELD_BYTES = 64 * 1024


class Lines:
    """The lines that are not yet sent. Its `feed` is what the engine wants."""

    def __init__(self) -> None:
        self._escapers: dict[Stream, Escaper] = {"stdout": Escaper(), "stderr": Escaper()}
        self._lines: deque[bytes] = deque()
        self._held = 0
        self._room: asyncio.Future[None] | None = None
        self._news = asyncio.Event()
        self._complete = False

    def feed(self, stream: Stream, data: bytes) -> asyncio.Future[None] | None:
        """Take bytes; when enough waited to be sent already, ask to wait until they are."""
        enough = self._held >= _HELD_BYTES
        self._add(stream, self._escapers[stream].add(data))
        if enough and self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    def finish(self, exit_code: int) -> None:
        """Add the last line."""
        for stream, escaper in self._escapers.items():
            self._add(stream, escaper.add(b"", final=True))
        self._lines.append(exit_line(exit_code))
        self._complete = True
        self._news.set()

    async def take(self) -> tuple[bytes, bool]:
        """Wait for lines; return them, and whether more can come."""
        await self._news.wait()
        self._news.clear()
        taken = b"".join(self._lines)
        self._lines.clear()
        self._held = 0
        if self._room is not None:
            self._room.set_result(None)
            self._room = None
        return taken, not self._complete

    def _add(self, stream: Stream, inside: bytes) -> None:
        if inside:
            self._lines.append(line(stream, inside))
            self._held += len(self._lines[-1])
            self._news.set()


class StreamedCommand(Response):
    """The answer that lasts as long as the command, and the other way round: a client that leaves ends it."""

    media_type = "application/x-ndjson"

    def __init__(self, process: Process, lines: Lines, timeout_seconds: float | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._process = process
        self._lines = lines
        self._timeout = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the command has ended or the client has gone."""
        del scope
        # A task of its own: the time limit holds while a send waits for a slow reader.
        running = asyncio.create_task(self._run())
        try:
            await while_there(self._send(send), gone(receive))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self) -> None:
        self._lines.finish(await self._process.run(self._timeout))

    async def _send(self, send: Send) -> None:
        with contextlib.suppress(OSError):
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            more = True
            while more:
                body, more = await self._lines.take()
                await send({"type": "http.response.body", "body": body, "more_body": more})
