"""The operator's own long-running tasks, begun and ended with the framework.

The framework waits for every task that it does not know before it ends, so these must be ended when it cleans up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


class Background:
    """Tasks that run until the framework ends; the first that ends by itself ends the framework."""

    def __init__(
        self, *mains: Callable[[], Coroutine[Any, Any, None]], last: Callable[[], Awaitable[None]]
    ) -> None:
        self._mains = mains
        self._last = last
        self._tasks: list[asyncio.Task[None]] = []
        self.ended = asyncio.Event()

    async def start(self, **_: Any) -> None:
        """Begin all tasks."""
        self._tasks = [asyncio.create_task(main()) for main in self._mains]
        for task in self._tasks:
            task.add_done_callback(lambda _: self.ended.set())

    async def stop(self, **_: Any) -> None:
        """End all tasks, and then do what is to be done last."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._last()

    def raise_error(self) -> None:
        """Raise what a task failed with, if one did."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()
