"""A work queue of keys, as Kubernetes' own controllers have it.

A key waits at most once however often it is added; one that is added while it is worked on waits again
afterwards, so that no two workers ever hold the same key and no change is missed.
Source: https://pkg.go.dev/k8s.io/client-go/util/workqueue
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 60.0


class WorkQueue(Generic[K]):
    """De-duplicating, with delays and with backoff per key."""

    def __init__(self, *, jitter: Callable[[], float] = random.random) -> None:
        self._waiting: OrderedDict[K, None] = OrderedDict()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._available = asyncio.Semaphore(0)
        self._jitter = jitter

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: K, *, after: float = 0.0) -> None:
        """Have a key worked on, now or in some seconds; of two delays the shorter counts."""
        if after <= 0:
            self._cancel_timer(key)
            self._add_now(key)
            return
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + after:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(after, self._timer_fired, key)

    def retry(self, key: K, *, at_least: float = 0.0) -> float:
        """Have a key worked on again after a failure; returns the seconds until then."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        backoff = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures, 16))
        # Half fixed, half random: many keys that failed together do not come back together.
        delay = max(at_least, backoff * (0.5 + 0.5 * self._jitter()))
        self.add(key, after=delay)
        return delay

    def forget_failures(self, key: K) -> None:
        """Begin the backoff anew: the last pass over the key succeeded."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key and take it; give it back with `done`."""
        await self._available.acquire()
        key, _ = self._waiting.popitem(last=False)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """Give a key back."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._add_now(key)

    def _add_now(self, key: K) -> None:
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = None
            self._available.release()

    def _timer_fired(self, key: K) -> None:
        del self._timers[key]
        self._add_now(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
