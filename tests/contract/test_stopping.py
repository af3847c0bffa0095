"""How the server ends."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.running import alive, connected, pids, running, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_ends_all_commands_and_then_itself_without_an_error(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            await client.execute(f"cd {tmp_path}; (setsid sleep 1005 & echo $! >> pids)")
            command = f"cd {tmp_path}; echo $$ >> pids; sleep 1005"
            whole = asyncio.create_task(client.execute(command))
            streamed = asyncio.create_task(_read(client.stream(command)))
            await until(lambda: len(pids(tmp_path / "pids")) == 3, "all ran")
            begun = time.monotonic()
            server.process.send_signal(number)
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert time.monotonic() - begun < 6
            assert server.process.returncode == 0
            assert not any(map(alive, pids(tmp_path / "pids")))
            # Both were still answered.
            assert await whole == {"exit_code": 143, "stdout": "", "stderr": ""}
            assert await streamed == [{"type": "exit", "data": 143}]


async def _read(lines: AsyncIterator[object]) -> list[object]:
    return [line async for line in lines]
