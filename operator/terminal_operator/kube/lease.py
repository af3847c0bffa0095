"""One active operator at a time, by a Lease, with the official client's leader election.

The client's lock waits up to five minutes for an answer and lets a torn connection end the election; here every
request has a deadline and a failure is only a failed attempt, so that an operator that cannot renew knows in time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import aiohttp
from kubernetes.aio.client import ApiClient, ApiException, V1Lease, V1ObjectMeta
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

T = TypeVar("T")
logger = logging.getLogger(__name__)

# A crashed leader is replaced within the lease plus one try of a standby: under 15 s. One that cannot renew stops
# about when its lease ends; that both work for a moment is harmless, as every write is bound to what it is for.
LEASE_SECONDS = 12
RENEW_DEADLINE_SECONDS = 7
RETRY_SECONDS = 2
_REQUEST_SECONDS = 2.0


class BoundedLeaseLock(LeaseLock):
    """The client's Lease lock, with a deadline on every request."""

    async def get(self, name: str, namespace: str) -> Any:
        """Read the lock; any failure but an answer of the API server is one without a status."""
        try:
            return await _bounded(super().get(name, namespace))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return False, ApiException(status=0, reason=f"no answer: {type(error).__name__}")

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        """Make the lock; False where that failed.

        The client's own method (kubernetes 37.0.2) passes `pretty=True`, which its own validation refuses.
        """
        lease = V1Lease(metadata=V1ObjectMeta(name=name), spec=self.update_lease(election_record))
        try:
            await _bounded(self.api_instance.create_namespaced_lease(namespace, lease))
        except (TimeoutError, aiohttp.ClientError, OSError, ApiException) as error:
            logger.info("lease not created", extra={"error": type(error).__name__})
            return False
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Take or renew the lock; False where that failed."""
        try:
            return bool(await _bounded(super().update(name, namespace, updated_record)))
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False

    async def release(self) -> None:
        """Give the lock back, so that a standby need not wait for it to expire."""
        try:
            lease = await _bounded(self.api_instance.read_namespaced_lease(self.name, self.namespace))
            if lease.spec is not None and lease.spec.holder_identity == self.identity:
                lease.spec.holder_identity = None
                await _bounded(self.api_instance.replace_namespaced_lease(self.name, self.namespace, lease))
        except (TimeoutError, aiohttp.ClientError, OSError, ApiException) as error:
            logger.info("lease not released", extra={"error": type(error).__name__})


async def lead(lock: BoundedLeaseLock, active: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Wait for the lock, run `active` while it is held, and return when it is lost or `active` ends."""
    leading = asyncio.Event()

    async def begin() -> None:
        leading.set()

    async def nothing() -> None:
        return

    async def work() -> None:
        await leading.wait()
        await active()

    config = Config(
        lock=lock,
        lease_duration=LEASE_SECONDS,
        renew_deadline=RENEW_DEADLINE_SECONDS,
        retry_period=RETRY_SECONDS,
        onstarted_leading=begin,
        onstopped_leading=nothing,
    )
    # The client cancels what it started only when the lock is lost, not when it is cancelled itself.
    tasks = [asyncio.create_task(LeaderElection(config).run()), asyncio.create_task(work())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def make_lock(client: ApiClient, *, name: str, namespace: str, identity: str) -> BoundedLeaseLock:
    """Return the lock of that name for a candidate."""
    return BoundedLeaseLock(name, namespace, identity, client)


async def _bounded(call: Awaitable[T]) -> T:
    async with asyncio.timeout(_REQUEST_SECONDS):
        return await call
