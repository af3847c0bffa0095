"""What is done for a client while it is there.

Whoever works for others, a kernel or a program, may likewise leave before the work is done.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

CLIENT_GONE = 499
"""The status of an answer that nobody waits for any more."""

_Result = TypeVar("_Result")


async def gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(
    work: Coroutine[Any, Any, _Result], leaving: Coroutine[Any, Any, object]
) -> asyncio.Task[_Result] | None:
    """Work until that is done, or until `leaving` is. Nothing of either goes on when this returns.

    Returns the work if it was done, with its result or its failure; None if it was cancelled.
    """
    working, waiting = asyncio.create_task(work), asyncio.create_task(leaving)
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = working.done()
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
    return working if done else None
