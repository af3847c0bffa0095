"""Has searches done by programs of their own, a few at a time, each with an end to its time."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal_server.engine import Engine, SpawnError
from terminal_server.isolated import BusyError, Isolated

_AT_ONCE = 4
_ANSWER_BYTES = 8 * 1024**2
_SECONDS_TO_ANSWER = 3.0
"""After the search's own time: for what it has found, or for being ended if it does not answer."""
_START = "import sys; sys.path.append(sys.argv[1]); from terminal_server.search.worker import main; main()"


class SearchError(Exception):
    """The search could not be done, for a reason that is not the client's."""


class RefusedError(Exception):
    """The search is not possible; the text names the field and the rule."""


@dataclass(frozen=True)
class Result:
    """What was found."""

    items: list[dict[str, Any]]
    truncated: bool
    next_offset: int | None = None


class Searches:
    """Does the searches of one server."""

    def __init__(self, engine: Engine, seconds: float, unseen: Sequence[Path]) -> None:
        """Get ready.

        Args:
            engine: what starts them.
            seconds: how long one may take.
            unseen: what only a search that begins in there sees.
        """
        self._constant = {"seconds": seconds, "unseen": [str(path) for path in unseen]}
        self._processes = Isolated(
            engine,
            ["-S", "-c", _START],
            at_once=_AT_ONCE,
            seconds=seconds + _SECONDS_TO_ANSWER,
            answer_bytes=_ANSWER_BYTES,
        )

    async def run(self, kind: str, **task: object) -> Result:
        """Search, and return what was found within the time there is.

        Raises:
            OSError: the place cannot be searched.
            RefusedError: the search is not possible.
            SearchError: too many searches at once, or the program failed.
        """
        try:
            code, printed = await self._processes.run({"kind": kind, **self._constant, **task})
        except BusyError:
            raise SearchError("too many searches at once") from None
        except SpawnError as error:
            raise SearchError(f"the search could not be started: {error}") from None
        if code < 0:
            # A disk that does not answer: nothing is known of what was found.
            return Result([], truncated=True)
        return _result(printed)


def _result(printed: bytes) -> Result:
    try:
        answer = json.loads(printed)
    except ValueError:
        raise SearchError("the search failed") from None
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "refused" in answer:
        raise RefusedError(answer["refused"])
    return Result(**answer)
