"""Has documents read, and files compared, by a process that may fail without harm.

That process gets neither the server's memory nor its environment.
"""

import json
import os
from pathlib import Path
from typing import Any

from starlette.types import Receive

from terminal_server.clients import CLIENT_GONE, gone, while_there
from terminal_server.engine import Engine, SpawnError
from terminal_server.isolated import BusyError, Isolated

_AT_A_TIME = 2
_SECONDS = 120.0
_ANSWER_BYTES = 64 * 1024**2
_REFUSED = 3
_START = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('terminal_server.documents', run_name='__main__')"
)


class WorkerError(Exception):
    """There is no answer; `status` says why, as HTTP does."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Worker:
    """Starts the processes."""

    def __init__(self, engine: Engine) -> None:
        self._processes = Isolated(
            engine, ["-c", _START], at_once=_AT_A_TIME, seconds=_SECONDS, answer_bytes=_ANSWER_BYTES
        )

    async def text(
        self,
        path: Path,
        kind: str,
        *,
        shown: str,
        lines: tuple[int, int | None],
        limit_bytes: int,
        receive: Receive,
    ) -> bytes:
        """Return the JSON of a document's text, or of some lines of it.

        Raises:
            WorkerError: it cannot be had.
        """
        first, last = lines
        task = {"do": "text", "path": _sent(path), "kind": kind, "shown": shown}
        return await self._answer({**task, "first": first, "last": last, "limit_bytes": limit_bytes}, receive)

    async def comparison(
        self, original: Path, revised: Path, *, ignore_whitespace: bool, receive: Receive
    ) -> bytes:
        """Return the JSON of what differs between two files.

        Raises:
            WorkerError: they cannot be compared.
        """
        task = {"do": "compare", "original": _sent(original), "revised": _sent(revised)}
        return await self._answer({**task, "ignore_whitespace": ignore_whitespace}, receive)

    async def _answer(self, task: dict[str, Any], receive: Receive) -> bytes:
        done = await while_there(self._processes.run(task), gone(receive))
        if done is None:
            raise WorkerError(CLIENT_GONE, "The client has gone")
        try:
            code, answer = done.result()
        except BusyError:
            raise WorkerError(503, "Too many documents are being read") from None
        except SpawnError as error:
            raise WorkerError(503, str(error)) from None
        if answer and code == 0:
            return answer
        if answer and code == _REFUSED:
            refusal = json.loads(answer)
            raise WorkerError(refusal["status"], refusal["detail"])
        raise WorkerError(422, "It takes too much time or memory to read this")


def _sent(path: Path) -> str:
    """Return a path as text from which its bytes can be made again."""
    return os.fsencode(path).decode("latin-1")
