"""Opens in a thread for who may be cancelled meanwhile. The thread cannot be, and what it opens then is nobody's."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


async def opened(opening: Callable[[], _T], close: Callable[[_T], object]) -> _T:
    """Return what `opening` opens in a thread; it is closed if the caller is cancelled before it gets it.

    Raises:
        OSError: or what else `opening` raises.
    """
    future = asyncio.get_running_loop().run_in_executor(None, opening)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(lambda done: _close(done, close))
        raise


def _close(done: "asyncio.Future[_T]", close: Callable[[_T], object]) -> None:
    if not done.cancelled() and done.exception() is None:
        close(done.result())
