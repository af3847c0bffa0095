"""The answer of contract 1: everything a command printed, when it has ended."""

from collections.abc import Generator

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from terminal_server.clients import CLIENT_GONE, gone, while_there
from terminal_server.commands.jsontext import escaped
from terminal_server.commands.output import Capture
from terminal_server.drawn import DrawnResponse
from terminal_server.engine import Process


class Result(BaseModel):
    """How it went."""

    exit_code: int = Field(
        description="0 = success, other = error, 128 + N = ended by signal N, -1 = out of time."
    )
    stdout: str = Field(description="Standard output.")
    stderr: str = Field(description="Standard error.")


async def answer(
    process: Process, capture: Capture, *, timeout_seconds: float | None, receive: Receive
) -> Response:
    """Wait for the end of a command, and return its answer. A client that leaves ends it.

    Args:
        process: the command.
        capture: what it prints is fed to this, which is closed in the end.
        timeout_seconds: after this the command is ended.
        receive: tells when the client leaves.
    """
    try:
        ran = await while_there(process.run(timeout_seconds), gone(receive))
        if ran is None:
            capture.close()
            return Response(status_code=CLIENT_GONE)
        await capture.finish()
    except BaseException:
        capture.close()
        raise
    pieces = _pieces(ran.result(), capture)
    if capture.on_disk:
        return _FromDisk(pieces, capture)
    return Response(b"".join(pieces), media_type="application/json")


def _pieces(exit_code: int, capture: Capture) -> Generator[bytes, None, None]:
    yield b'{"exit_code":%d,"stdout":"' % exit_code
    yield from escaped(capture.chunks("stdout"))
    yield b'","stderr":"'
    yield from escaped(capture.chunks("stderr"))
    yield b'"}'


class _FromDisk(DrawnResponse):
    """An answer too large for memory."""

    def __init__(self, pieces: Generator[bytes, None, None], capture: Capture) -> None:
        super().__init__(pieces, media_type="application/json")
        self._capture = capture

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give the space back however that ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._capture.close()
