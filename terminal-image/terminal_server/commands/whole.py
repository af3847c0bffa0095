"""The answer of contract 1: everything a command printed, and its exit code.

It is sent when the command has ended; one that does not fit memory, from then on as it is printed.
"""

import asyncio

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from terminal_server.clients import CLIENT_GONE, gone, while_there
from terminal_server.commands.jsontext import Escaper
from terminal_server.commands.output import MEMORY_BYTES, Capture
from terminal_server.engine import Process, Stream


class Result(BaseModel):
    """How it went."""

    exit_code: int = Field(
        description="0 = success, other = error, 128 + N = ended by signal N, -1 = out of time."
    )
    stdout: str = Field(description="Standard output.")
    stderr: str = Field(description="Standard error.")


class WholeAnswer(Response):
    """The answer to a command that runs. A client that leaves ends it."""

    def __init__(self, process: Process, capture: Capture, timeout_seconds: float | None) -> None:
        """Make one.

        Args:
            process: the command.
            capture: what it prints is fed to this, which is closed in the end.
            timeout_seconds: after this the command is ended.
        """
        super().__init__()
        self._process = process
        self._capture = capture
        self._timeout = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give the space back however that ends."""
        body = _Body(send)
        # A task of its own: the time limit holds while a send waits for a slow reader.
        running = asyncio.create_task(self._run())
        try:
            sending = await while_there(self._send(body, running), gone(receive))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            self._capture.close()
        if sending is not None:
            sending.result()
            # Last of all: who has the answer may rely on the request being over.
            await body.end()
        elif not body.begun:
            await Response(status_code=CLIENT_GONE)(scope, receive, send)

    async def _run(self) -> int:
        try:
            return await self._process.run(self._timeout)
        finally:
            self._capture.finish()

    async def _send(self, body: "_Body", running: "asyncio.Task[int]") -> None:
        data = await self._capture.take("stdout")
        ended = running.done()
        await body.add(b'{"exit_code":%d,"stdout":"' % running.result() if ended else b'{"stdout":"')
        await self._send_stream(body, "stdout", data)
        await body.add(b'","stderr":"')
        await self._send_stream(body, "stderr", await self._capture.take("stderr"))
        await body.add(b'"}' if ended else b'","exit_code":%d}' % await running)

    async def _send_stream(self, body: "_Body", stream: Stream, data: bytes) -> None:
        escaper = Escaper()
        while data:
            await body.add(escaper.add(data))
            data = await self._capture.take(stream)
        note = self._capture.note() if stream == "stderr" else ""
        await body.add(escaper.add(note.encode(), final=True))


class _Body:
    """The body of an answer: sent at once, its length with it, if it is small, and in pieces otherwise."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self._send = send
        self._held: list[bytes] = []
        self._size = 0

    async def add(self, piece: bytes) -> None:
        """Add a piece."""
        self._held.append(piece)
        self._size += len(piece)
        if self._size >= MEMORY_BYTES:
            await self._pass_on(more=True)

    async def end(self) -> None:
        """Send what is not yet sent."""
        await self._pass_on(more=False)

    async def _pass_on(self, *, more: bool) -> None:
        held = b"".join(self._held)
        self._held.clear()
        self._size = 0
        if not self.begun:
            self.begun = True
            headers = [(b"content-type", b"application/json")]
            if not more:
                headers.append((b"content-length", b"%d" % len(held)))
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": held, "more_body": more})
