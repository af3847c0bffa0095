"""Processes of which few run at a time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from terminal_server.engine import Program
from terminal_server.isolated import BusyError, Few

_PROGRAM = Program(["program"], Path("/"))


class _Engine:
    """Starts nothing, and takes for ever for that."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def launch(self, _program: Program, **_options: object) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_who_waits_too_long_for_a_turn_gives_up_and_who_is_cancelled_gives_it_to_others() -> None:
    engine: Any = _Engine()
    few = Few(engine, at_once=1, seconds=0.05)
    first = asyncio.create_task(few.run(_PROGRAM))
    await engine.asked.wait()
    with pytest.raises(BusyError):
        await few.run(_PROGRAM)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    engine.asked.clear()
    second = asyncio.create_task(few.run(_PROGRAM))
    await asyncio.wait_for(engine.asked.wait(), 20)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
