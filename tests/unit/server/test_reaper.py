"""Collecting children that have ended."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from terminal_server.engine.reaper import Reaper


@pytest.fixture
async def reaper() -> AsyncIterator[Reaper]:
    started = Reaper()
    started.start()
    yield started
    started.stop()


def _child(script: str) -> int:
    return os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", script], {})


@pytest.mark.parametrize(
    ("script", "code"), [("", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)]
)
async def test_who_waits_for_a_child_is_told_its_exit_code(reaper: Reaper, script: str, code: int) -> None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    reaper.expect(_child(script), ended.set_result, since=reaper.moment)
    assert await asyncio.wait_for(ended, 10) == code


async def _collected_before_it_is_expected(reaper: Reaper) -> int:
    begun = reaper.moment
    pid = _child("raise SystemExit(3)")
    async with asyncio.timeout(10):
        while reaper.moment == begun:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    return pid


async def test_who_expects_a_child_after_its_end_is_told_too(reaper: Reaper) -> None:
    begun = reaper.moment
    pid = await _collected_before_it_is_expected(reaper)
    codes: list[int] = []
    reaper.expect(pid, codes.append, since=begun)
    assert codes == [3]


async def test_a_process_that_had_the_number_before_is_not_taken_for_the_child(reaper: Reaper) -> None:
    pid = await _collected_before_it_is_expected(reaper)
    codes: list[int] = []
    reaper.expect(pid, codes.append, since=reaper.moment)
    assert codes == []


@pytest.mark.usefixtures("reaper")
async def test_a_child_nobody_waits_for_is_collected() -> None:
    entry = Path(f"/proc/{_child('')}")
    async with asyncio.timeout(10):
        # A zombie would still be there.
        while entry.exists():  # noqa: ASYNC110, ASYNC240 - there is no event for it
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("reaper")
async def test_thousands_of_ends_at_once_are_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5000):
        signal.raise_signal(signal.SIGCHLD)
    await asyncio.sleep(0)
    assert capfd.readouterr().err == ""
