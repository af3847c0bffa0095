"""How the server comes to its end."""

import asyncio
from pathlib import Path

from terminal_server.activity import Activity
from terminal_server.lifecycle import IdleWatch, Lifecycle, Phase

from tests.contract.running import DEADLINE_SECONDS


async def test_what_has_to_be_done_before_the_end_is_done_once_and_all_who_ask_wait() -> None:
    lifecycle, done, gate = Lifecycle(), [], asyncio.Event()

    async def act() -> None:
        await gate.wait()
        done.append("act")

    async def ask() -> None:
        await lifecycle.stop()
        done.append("asked")

    lifecycle.before_stop(act)
    impatient = asyncio.create_task(ask())
    asking = [asyncio.create_task(ask()) for _ in range(2)]
    await asyncio.sleep(0)
    assert lifecycle.phase is Phase.STOPPING
    impatient.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*asking)
    assert done == ["act", "asked", "asked"]


async def test_told_to_stop_it_does_not_end_for_being_idle_nor_become_ready_again(tmp_path: Path) -> None:
    lifecycle, activity, reason = Lifecycle(), Activity(), tmp_path / "reason"
    reason.touch()
    watch = IdleWatch(lifecycle, activity, idle_seconds=0.1, drain_seconds=0.1, termination_file=reason)
    watching = asyncio.create_task(watch.run())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while lifecycle.phase.value != "draining":  # noqa: ASYNC110 - to see it at once
            await asyncio.sleep(0)
    await lifecycle.stop()
    # A command that was ended, for example.
    activity.touch()
    await watching
    assert lifecycle.phase is Phase.STOPPING
    assert reason.read_text() == ""
