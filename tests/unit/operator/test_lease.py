"""One active operator: who holds the Lease works, who cannot renew it stops in time, who waits takes over soon."""

import asyncio
import copy
import json
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.aio.client import ApiClient, ApiException, Configuration
from kubernetes.aio.leaderelection import leaderelection
from terminal_operator.kube.lease import lead, make_lock

from tests.unit.operator.fake_time import on_fake_time

HOUR = 3600.0


class Leases:
    """The Lease API in memory, which can be made to hang or to fail."""

    def __init__(self) -> None:
        self.lease: Any = None
        self.version = 0
        self.trouble: Exception | None = None
        self.hangs = False

    async def read_namespaced_lease(self, _name: str, _namespace: str) -> Any:
        """Return the Lease."""
        await self._disturb()
        if self.lease is None:
            raise refusal(HTTPStatus.NOT_FOUND)
        return copy.deepcopy(self.lease)

    async def create_namespaced_lease(self, _namespace: str, lease: Any) -> Any:
        """Make the Lease."""
        await self._disturb()
        if self.lease is not None:
            raise refusal(HTTPStatus.CONFLICT)
        return self._store(lease)

    async def replace_namespaced_lease(self, name: str, namespace: str, body: Any) -> Any:
        """Replace the version that was read."""
        await self._disturb()
        assert name
        assert namespace
        if self.lease is None or body.metadata.resource_version != self.lease.metadata.resource_version:
            raise refusal(HTTPStatus.CONFLICT)
        return self._store(body)

    def _store(self, lease: Any) -> Any:
        self.version += 1
        self.lease = copy.deepcopy(lease)
        self.lease.metadata.resource_version = str(self.version)
        return self.lease

    async def _disturb(self) -> None:
        if self.hangs:
            await asyncio.sleep(HOUR)
        if self.trouble is not None:
            raise self.trouble

    @property
    def holder(self) -> str | None:
        """Return who holds the Lease."""
        holder: str | None = None if self.lease is None else self.lease.spec.holder_identity
        return holder


def refusal(status: HTTPStatus) -> ApiException:
    error = ApiException(status=status, reason=status.phrase)
    error.body = json.dumps({"code": status})
    return error


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the election look at the loop's clock."""
    # Half a second off: the client cannot read back a time of whole seconds, and logs an error each time.
    now = SimpleNamespace(time=lambda: asyncio.get_running_loop().time() + 0.5)
    monkeypatch.setattr(leaderelection, "time", now)


class Candidate:
    """Works while it leads."""

    def __init__(self, leases: Leases, identity: str) -> None:
        configuration = Configuration()
        self.lock: Any = make_lock(
            ApiClient(configuration), name="operator", namespace="here", identity=identity
        )
        api: Any = leases
        self.lock.api_instance = api
        self.working = False

    async def run(self) -> None:
        """Run for the Lease."""
        await lead(self.lock, self._work)

    async def _work(self) -> None:
        self.working = True
        try:
            await asyncio.sleep(1000 * HOUR)
        finally:
            self.working = False


async def ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def seconds() -> float:
    return asyncio.get_running_loop().time()


@on_fake_time
async def test_the_first_candidate_works_and_the_second_waits() -> None:
    leases = Leases()
    first, second = Candidate(leases, "first"), Candidate(leases, "second")
    tasks = [asyncio.create_task(each.run()) for each in (first, second)]
    await asyncio.sleep(60)
    assert (first.working, second.working, leases.holder) == (True, False, "first")
    for task in tasks:
        await ended(task)


@on_fake_time
async def test_who_is_ended_works_no_longer_and_who_waits_takes_over_at_once_after_a_release() -> None:
    leases = Leases()
    first, second = Candidate(leases, "first"), Candidate(leases, "second")
    tasks = [asyncio.create_task(each.run()) for each in (first, second)]
    await asyncio.sleep(10)
    await ended(tasks[0])
    assert not first.working
    await first.lock.release()
    assert leases.holder is None
    await asyncio.sleep(3)
    assert second.working
    await ended(tasks[1])


@on_fake_time
async def test_who_waits_takes_over_within_fifteen_seconds_of_a_crash() -> None:
    leases = Leases()
    first, second = Candidate(leases, "first"), Candidate(leases, "second")
    tasks = [asyncio.create_task(each.run()) for each in (first, second)]
    await asyncio.sleep(61)
    await ended(tasks[0])
    await asyncio.sleep(15)
    assert second.working
    await ended(tasks[1])


@pytest.mark.parametrize("how", ["hangs", "refuses", "is unreachable"])
def test_who_cannot_renew_stops_by_itself(how: str) -> None:
    @on_fake_time
    async def scenario() -> None:
        leases = Leases()
        candidate = Candidate(leases, "first")
        task = asyncio.create_task(candidate.run())
        await asyncio.sleep(10)
        assert [candidate.working] == [True]
        leases.hangs = how == "hangs"
        leases.trouble = {
            "refuses": refusal(HTTPStatus.SERVICE_UNAVAILABLE),
            "is unreachable": OSError("no route"),
        }.get(how)
        begun = seconds()
        await task
        assert [candidate.working] == [False]
        assert seconds() - begun <= 15

    scenario()


@on_fake_time
async def test_a_short_failure_does_not_end_the_work() -> None:
    leases = Leases()
    candidate = Candidate(leases, "first")
    task = asyncio.create_task(candidate.run())
    await asyncio.sleep(10)
    leases.trouble = refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
    await asyncio.sleep(5)
    leases.trouble = None
    await asyncio.sleep(60)
    assert candidate.working
    await ended(task)


@on_fake_time
async def test_a_restarted_operator_of_the_same_name_goes_on_at_once() -> None:
    leases = Leases()
    crashed = asyncio.create_task(Candidate(leases, "pod-0").run())
    await asyncio.sleep(10)
    await ended(crashed)
    again = Candidate(leases, "pod-0")
    task = asyncio.create_task(again.run())
    await asyncio.sleep(0.1)
    assert again.working
    await ended(task)


@on_fake_time
async def test_an_error_of_the_work_is_not_swallowed() -> None:
    leases = Leases()

    async def fail() -> None:
        raise KeyError("nobody thought of this")

    with pytest.raises(KeyError):
        await lead(Candidate(leases, "first").lock, fail)


@on_fake_time
async def test_nobody_gives_back_a_lease_that_is_anothers_and_a_release_that_fails_is_no_error() -> None:
    leases = Leases()
    task = asyncio.create_task(Candidate(leases, "first").run())
    await asyncio.sleep(1)
    await Candidate(leases, "second").lock.release()
    assert leases.holder == "first"
    leases.hangs = True
    await Candidate(leases, "first").lock.release()
    assert leases.holder == "first"
    await ended(task)
