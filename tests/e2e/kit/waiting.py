"""Waiting for something to become true, with a deadline and a story when it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.15
# A machine that does much else is slow; only what fails takes so long.
DEADLINE_SECONDS = 120.0


async def until(
    probe: Callable[[], Awaitable[T | None]],
    what: str,
    *,
    within: float = DEADLINE_SECONDS,
    every: float = POLL_SECONDS,
    story: Callable[[], Awaitable[str]] | None = None,
) -> T:
    """Return the first true answer of `probe`.

    Args:
        probe: asked again and again; an answer that is not true means not yet.
        what: the sentence that became true, for the failure.
        within: seconds.
        every: seconds between two questions.
        story: what to tell when time is over: conditions, events, logs.
    """
    deadline = time.monotonic() + within
    while True:
        if answer := await probe():
            return answer
        if time.monotonic() > deadline:
            told = f"\n{await story()}" if story else ""
            raise AssertionError(f"in {within:g} s it never happened that {what}{told}")
        await asyncio.sleep(every)
