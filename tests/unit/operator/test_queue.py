"""The work queue: no key twice at once, no change missed, failures further and further apart."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from terminal_operator.controller.queue import LONGEST_RETRY_SECONDS, WorkQueue

from tests.unit.operator.fake_time import on_fake_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def nothing_comes(queue: WorkQueue[str], seconds: float = 1000.0) -> bool:
    """Whether the queue stays empty for that long."""
    try:
        await within(seconds, queue.get())
    except TimeoutError:
        return True
    return False


async def within(seconds: float, waiting: Coroutine[Any, Any, str]) -> str:
    async with asyncio.timeout(seconds):
        return await waiting


@on_fake_time
async def test_keys_come_out_in_the_order_they_were_added() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in "abc":
        queue.add(key)
    assert [await queue.get() for _ in "abc"] == ["a", "b", "c"]


@on_fake_time
async def test_a_key_added_many_times_is_worked_on_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for _ in range(100):
        queue.add("a")
    assert len(queue) == 1
    queue.done(await queue.get())
    assert await nothing_comes(queue)


@on_fake_time
async def test_two_workers_never_hold_the_same_key() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await queue.get()
    queue.add("a")
    assert await nothing_comes(queue)


@on_fake_time
async def test_a_key_added_while_it_is_worked_on_is_worked_on_again_and_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    key = await queue.get()
    queue.add("a")
    queue.add("a")
    queue.done(key)
    queue.done(await within(1, queue.get()))
    assert await nothing_comes(queue)


@on_fake_time
async def test_a_delayed_key_comes_when_its_time_has_come() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a", after=30)
    assert len(queue) == 0
    assert await queue.get() == "a"
    assert now() == pytest.approx(30)


@pytest.mark.parametrize("delays", [(30, 5), (5, 30)])
def test_of_two_delays_the_shorter_counts_and_the_key_comes_once(delays: tuple[float, float]) -> None:
    @on_fake_time
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for delay in delays:
            queue.add("a", after=delay)
        queue.done(await queue.get())
        assert now() == pytest.approx(5)
        assert await nothing_comes(queue)

    scenario()


@on_fake_time
async def test_what_is_added_for_now_does_not_wait_for_its_delay_and_does_not_come_again() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a", after=30)
    queue.add("a")
    queue.done(await queue.get())
    assert now() == 0
    assert await nothing_comes(queue)


@on_fake_time
async def test_a_delay_that_ends_while_the_key_is_worked_on_has_it_worked_on_again() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    key = await queue.get()
    queue.add("a", after=5)
    await asyncio.sleep(10)
    queue.done(key)
    assert await within(1, queue.get()) == "a"


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.5), (1.0, 1.0)])
def test_failures_are_retried_twice_as_late_each_time_up_to_a_minute(jitter: float, share: float) -> None:
    @on_fake_time
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue(jitter=lambda: jitter)
        delays = []
        for _ in range(40):
            delays.append(queue.retry("a"))
            queue.done(await queue.get())
        expected = [min(LONGEST_RETRY_SECONDS, 0.2 * 2**failures) * share for failures in range(40)]
        assert delays == pytest.approx(expected)
        assert now() == pytest.approx(sum(expected))

    scenario()


@on_fake_time
async def test_a_success_begins_the_backoff_anew_and_each_key_has_its_own() -> None:
    queue: WorkQueue[str] = WorkQueue(jitter=lambda: 1.0)
    assert [queue.retry("a"), queue.retry("a"), queue.retry("b")] == pytest.approx([0.2, 0.4, 0.2])
    queue.forget_failures("a")
    assert queue.retry("a") == pytest.approx(0.2)


@on_fake_time
async def test_a_retry_is_never_sooner_than_the_server_asked() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert queue.retry("a", at_least=7.0) == 7.0
    await queue.get()
    assert now() == pytest.approx(7)


@on_fake_time
async def test_a_worker_that_is_cancelled_while_it_waits_takes_nothing_with_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert await nothing_comes(queue, 1)
    queue.add("a")
    assert await within(1, queue.get()) == "a"
