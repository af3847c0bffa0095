"""Starting programs."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from terminal_server.engine import STARTERS, Engine, Program
from terminal_server.workers import Workers

from tests.contract.running import children, until


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """One that is not closed: it would end every process of these tests."""
    environment = dict(os.environ)
    starters = Workers(STARTERS)
    starters.start()
    made = Engine(  # noqa: S604 - a name
        shell="sh",
        environment=environment,
        kill_grace_seconds=0.1,
        starters=starters,
    )
    await made.start()
    yield made
    assert starters.ended(5)


async def test_who_is_cancelled_as_soon_as_its_program_runs_leaves_none_behind(engine: Engine) -> None:
    async def run() -> None:
        process = await engine.launch(Program(["sleep", "1014"], Path("/")), feed=lambda *_: None)
        await process.run(None)

    before = children(os.getpid())
    running = asyncio.create_task(run())
    async with asyncio.timeout(10):
        while children(os.getpid()) == before:  # noqa: ASYNC110 - to see it at once
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: children(os.getpid()) == before, "it was ended")
