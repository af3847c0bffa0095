"""The controller: what watches report goes into the cache, its Terminal into the queue, and workers take it out."""

import asyncio
import logging
import time
from typing import Any

from terminal_operator.api.group import FIELD_MANAGER, MANAGED_BY_LABEL
from terminal_operator.controller.cache import Cache, Key, key_of
from terminal_operator.controller.queue import WorkQueue
from terminal_operator.controller.reconcile import Reconciler
from terminal_operator.kube.cluster import Cluster
from terminal_operator.kube.errors import ClusterError, ConflictError, RetryLaterError
from terminal_operator.kube.kinds import CHILDREN, TERMINAL_CLASS, WATCHED, Kind, kind_of
from terminal_operator.metrics import QUEUE_DEPTH, RECONCILE_SECONDS, RECONCILES, TERMINALS

Manifest = dict[str, Any]
logger = logging.getLogger(__name__)

CHILD_SELECTOR = f"{MANAGED_BY_LABEL}={FIELD_MANAGER}"
_PASS_DEADLINE_SECONDS = 60.0
# The watches of the framework start beside the first list; a second one soon after sees what fell in between.
_SECOND_LIST_SECONDS = 10.0
_LIST_AGAIN_SECONDS = 5.0


class Controller:
    """Connects watches, cache, queue and reconciler."""

    def __init__(
        self, *, cluster: Cluster, cache: Cache, reconciler: Reconciler, resync_seconds: float
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._reconciler = reconciler
        self._resync_seconds = resync_seconds
        self._queue: WorkQueue[Key] = WorkQueue()
        self._synced = asyncio.Event()

    @property
    def synced(self) -> bool:
        """Whether everything that exists has been seen once."""
        return self._synced.is_set()

    def observe(self, event_type: str | None, manifest: Manifest) -> None:
        """Take in one watch event: remember the object, have its Terminal looked at."""
        if event_type == "DELETED":
            self._cache.forget(manifest)
        elif not self._cache.observe(manifest):
            return
        self._enqueue_for(manifest)

    async def keep_in_step(self) -> None:
        """Compare the cache with complete lists, at the start and then every so often; never returns.

        A watch that had to begin anew does not tell of what was deleted meanwhile; this does.
        """
        pause = _SECOND_LIST_SECONDS
        while True:
            try:
                await self._list_all()
            except ClusterError as error:
                logger.warning("listing failed, trying again", extra={"error": str(error)})
                await asyncio.sleep(_LIST_AGAIN_SECONDS)
                continue
            self._synced.set()
            TERMINALS.set(len(self._cache.terminals()))
            await asyncio.sleep(pause)
            pause = self._resync_seconds

    async def work(self, workers: int) -> None:
        """Run passes until cancelled; the first begins when everything has been seen once."""
        await self._synced.wait()
        for key in self._cache.terminals():
            self._queue.add(key)
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._worker(), name=f"worker-{number}")

    async def _worker(self) -> None:
        while True:
            key = await self._queue.get()
            QUEUE_DEPTH.set(len(self._queue))
            try:
                await self._pass(key)
            finally:
                self._queue.done(key)
            # A pass that has nothing to write never waits: thousands of them in a row must leave the loop to the
            # lease and the watches in between.
            await asyncio.sleep(0)

    async def _pass(self, key: Key) -> None:
        started = time.monotonic()
        outcome = "error"
        try:
            async with asyncio.timeout(_PASS_DEADLINE_SECONDS):
                again = await self._reconciler.reconcile(key)
            outcome = "ok"
            self._queue.forget_failures(key)
            if again is not None:
                self._queue.add(key, after=max(again, 0.001))
        except (RetryLaterError, ConflictError) as error:
            outcome = "retry"
            delay = self._queue.retry(key, at_least=getattr(error, "after", 0.0))
            logger.info("will try again", extra={"terminal": str(key), "error": str(error), "seconds": delay})
        except Exception:
            # One Terminal's trouble, even one nobody foresaw, must not stop the others' operator.
            delay = self._queue.retry(key)
            logger.exception("pass failed", extra={"terminal": str(key), "seconds": delay})
        finally:
            RECONCILES.labels(outcome).inc()
            RECONCILE_SECONDS.observe(time.monotonic() - started)

    async def _list_all(self) -> None:
        for kind in WATCHED:
            listing = await self._cluster.list(kind, selector_of(kind))
            for manifest in self._cache.replace(kind, listing):
                self._enqueue_for(manifest)

    def _enqueue_for(self, manifest: Manifest) -> None:
        if kind_of(manifest) == TERMINAL_CLASS:
            for key in self._cache.terminals():
                self._queue.add(key)
        elif (owner := key_of(manifest)) is not None:
            self._queue.add(owner)


def selector_of(kind: Kind) -> str:
    """Return the label selector a kind is listed and watched with: of other people's objects nothing is read."""
    return CHILD_SELECTOR if kind in CHILDREN else ""
