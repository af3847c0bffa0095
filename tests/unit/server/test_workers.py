"""The threads for what may block."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
from terminal_server import workers
from terminal_server.workers import COUNT, MOST, Workers


@pytest.fixture
async def threads(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    monkeypatch.setattr(workers, "_PATIENCE_SECONDS", 0.05)
    made = Workers()
    made.start()
    asyncio.get_running_loop().set_default_executor(made)
    yield made
    assert made.ended(5)


async def test_where_all_wait_for_a_disk_others_are_served_by_more(threads: Workers) -> None:
    disk = threading.Event()
    hanging = [asyncio.create_task(asyncio.to_thread(disk.wait)) for _ in range(3 * COUNT)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "served") == "served"
    finally:
        disk.set()
    await asyncio.gather(*hanging)
    del threads


async def test_so_they_are_when_all_have_been_busy_before(threads: Workers) -> None:
    await asyncio.gather(*(asyncio.to_thread(lambda: None) for _ in range(500)))
    await test_where_all_wait_for_a_disk_others_are_served_by_more(threads)


async def test_there_are_never_more_than_there_may_be(threads: Workers) -> None:
    disk = threading.Event()
    calls = [threads.submit(disk.wait) for _ in range(2 * MOST)]
    async with asyncio.timeout(5):
        while sum(call.running() for call in calls) < MOST:  # noqa: ASYNC110 - threads set no event of the loop
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert sum(call.running() for call in calls) == MOST
    disk.set()


async def test_as_long_as_all_goes_well_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_PATIENCE_SECONDS", 0.001)
    # By this clock none waits, however busy the machine is.
    made = Workers(clock=lambda: 0.0)
    made.start()
    asyncio.get_running_loop().set_default_executor(made)
    before = set(threading.enumerate())
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.001) for _ in range(500)))
    assert set(threading.enumerate()) <= before
    assert made.ended(5)


async def test_it_is_told_whether_one_still_waits_when_all_should_end() -> None:
    made, disk = Workers(), threading.Event()
    made.start()
    both = threading.Barrier(2)
    made.submit(lambda: (both.wait(5), disk.wait()))
    both.wait(5)
    assert not made.ended(0.05)
    disk.set()
    assert made.ended(5)
