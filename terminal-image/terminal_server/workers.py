"""The threads for what may block: disks, mostly.

All are started with the server. A user who has used up the processes of the container, threads included, must
still be able to end what did it. Only where they wait for a disk that does not answer there are more, one by one,
so that others do not wait with them.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

COUNT = 8
MOST = 64
_START_SECONDS = 10
_PATIENCE_SECONDS = 1.0


class Workers(ThreadPoolExecutor):
    """The threads. What they do is given to them by one thread, that of the event loop."""

    def __init__(self, count: int = COUNT, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(count, thread_name_prefix="worker")
        self._clock = clock
        self._waiting: deque[tuple[float, Future[Any]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start them, for the running loop."""
        # A pool starts a thread only when the others are busy: here all wait for each other.
        together = Barrier(self._max_workers, timeout=_START_SECONDS)
        for waiting in [self.submit(together.wait) for _ in range(self._max_workers)]:
            waiting.result()
        self._loop = asyncio.get_running_loop()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have something done."""
        future = super().submit(fn, *args, **kwargs)
        # What is done holds its result, a piece of a file perhaps: it is let go at once.
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        self._waiting.append((self._clock(), future))
        self._look_later()
        return future

    def ended(self, seconds: float) -> bool:
        """End the threads, and tell whether they have ended within so long: one that waits for a disk may not."""
        self.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _look_later(self) -> None:
        if self._looking is None and self._loop is not None:
            self._looking = self._loop.call_later(_PATIENCE_SECONDS, self._look)

    def _look(self) -> None:
        """Where something was to be done long ago and has not begun, start a thread for it."""
        self._looking = None
        self._waiting = deque(one for one in self._waiting if not (one[1].running() or one[1].done()))
        before = self._clock() - _PATIENCE_SECONDS
        for _ in range(sum(given < before for given, _ in self._waiting)):
            self._grow()
        if self._waiting:
            self._look_later()

    def _grow(self) -> None:
        if self._max_workers < MOST:
            self._max_workers += 1
            # The pool takes threads that were given work while all were busy for idle ones. None is.
            while self._idle_semaphore.acquire(blocking=False):
                pass
            # The pool starts a thread when it gets something to do. There may be no more to be had.
            with contextlib.suppress(RuntimeError):
                super().submit(_nothing)


def _nothing() -> None:
    pass
