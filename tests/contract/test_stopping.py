"""How the server ends."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.running import alive, connected, pids, running, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_ends_all_commands_and_then_itself_without_an_error(
    tmp_path: Path, number: signal.Signals
) -> None:
    # More than the test waits: nothing has to be waited for so long.
    with running(tmp_path, TERMINAL_SERVER_STOP_SECONDS="60") as server:
        async with connected(server) as client:
            await client.execute(f"cd {tmp_path}; (setsid sleep 1005 & echo $! >> pids)")
            command = f"cd {tmp_path}; echo $$ >> pids; sleep 1005"
            whole = asyncio.create_task(client.execute(command))
            streamed = asyncio.create_task(_read(client.stream(command)))
            deaf = asyncio.create_task(client.execute(f"trap '' TERM; {command}"))
            await until(lambda: len(pids(tmp_path / "pids")) == 4, "all ran")
            server.process.send_signal(number)
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert server.process.returncode == 0
            assert not any(map(alive, pids(tmp_path / "pids")))
            # All were still answered.
            assert await whole == {"exit_code": 143, "stdout": "", "stderr": ""}
            assert await streamed == [{"type": "exit", "data": 143}]
            assert await deaf == {"exit_code": 137, "stdout": "", "stderr": ""}


async def _read(lines: AsyncIterator[object]) -> list[object]:
    return [line async for line in lines]


async def test_while_it_ends_it_takes_no_new_work_and_says_so(tmp_path: Path) -> None:
    with running(
        tmp_path, TERMINAL_SERVER_KILL_GRACE_SECONDS="60", TERMINAL_SERVER_STOP_SECONDS="60"
    ) as server:
        async with connected(server) as client:
            command = f"trap '' TERM; touch {tmp_path}/ran; until [ -e {tmp_path}/gate ]; do sleep 0.1; done; exit 3"
            stubborn = asyncio.create_task(client.execute(command, timeout=60))
            await until((tmp_path / "ran").exists, "the command ran")
            server.process.send_signal(signal.SIGTERM)

            async def is_stopping() -> bool:
                async with client.request("GET", "/ready") as response:
                    return bool((await response.json())["status"] == "stopping")

            await until(is_stopping, "it said so")
            async with client.request("POST", "/execute", json={"command": "true"}) as response:
                assert (response.status, await response.json()) == (503, {"detail": "the server is stopping"})
            assert not stubborn.done()
            (tmp_path / "gate").touch()
            assert (await stubborn)["exit_code"] == 3
        await until(lambda: server.process.poll() is not None, "the server ended")
        assert server.process.returncode == 0
