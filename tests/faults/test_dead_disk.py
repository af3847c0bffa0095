"""A disk that does not answer holds up who asks it, and nobody else; when it fails, that is said."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import Client, Server, changed, children, connected, running, until
from tests.faults.mounts import inside, mounting

_SHORT_LIVED = {"TERMINAL_SERVER_IDLE_SECONDS": "5", "TERMINAL_SERVER_DRAIN_SECONDS": "0.1"}
_HANGING = 20
"""More than there are threads."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the disk will be."""
    made = tmp_path / "dead"
    made.mkdir()
    return made


@contextlib.contextmanager
def _dead_disk(server: Server, folder: Path) -> Iterator[None]:
    program = [sys.executable, str(Path(__file__).with_name("dead_disk.py")), str(folder)]
    with subprocess.Popen(
        [*inside(server), *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as disk:
        assert disk.stdout is not None
        assert disk.stderr is not None
        if disk.stdout.readline() != b"mounted\n":
            pytest.skip(
                f"no file system in user space can be mounted here: {disk.stderr.read().decode()[-200:]}"
            )
        try:
            yield
        finally:
            disk.kill()


async def test_a_disk_that_does_not_answer_holds_up_nobody_else_and_its_end_is_told(
    tmp_path: Path, folder: Path
) -> None:
    with running(tmp_path / "server", wrap=mounting()) as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                calls = [asyncio.create_task(_status(client, folder)) for _ in range(_HANGING)]
                await asyncio.sleep(0)
                for path in ("/health", "/files/list", "/files/cwd", "/skills", "/execute"):
                    async with asyncio.timeout(10):
                        await client.json("GET", path)
                assert (await client.execute("echo well", timeout=20))["stdout"] == "well\n"
                await client.json("POST", "/files/write", json={"path": "file", "content": "x"})
                assert not any(call.done() for call in calls)
            assert set(await asyncio.gather(*calls)) == {503}


async def test_told_to_stop_the_server_does_not_wait_for_a_disk_that_does_not_answer(
    tmp_path: Path, folder: Path
) -> None:
    with running(tmp_path / "server", wrap=mounting(), TERMINAL_SERVER_STOP_SECONDS="1") as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                call = asyncio.create_task(_status(client, folder))
                await client.json("GET", "/files/list")
                server.process.send_signal(signal.SIGTERM)
                assert await call == 503
                await until(lambda: server.process.poll() is not None, "the server ended")
                assert server.process.returncode == 0


async def test_told_to_stop_the_server_does_not_wait_for_logs_on_a_disk_that_does_not_answer(
    tmp_path: Path, folder: Path
) -> None:
    with _logging_to(folder, tmp_path / "server") as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                await _print(client)
                server.process.send_signal(signal.SIGTERM)
                await until(lambda: server.process.poll() is not None, "the server ended")
                assert server.process.returncode == 0


@pytest.mark.parametrize("limit", [{}, _SHORT_LIVED], ids=["told to", "idle"])
async def test_it_ends_though_every_thread_waits_for_a_disk_that_does_not_answer(
    tmp_path: Path, folder: Path, limit: dict[str, str]
) -> None:
    few = "from terminal_server import lifecycle, server, workers; workers.MOST = 8; "
    soon = "lifecycle._LAST_SECONDS = server._SPARE_SECONDS = 1"
    with _logging_to(folder, tmp_path / "server", changed(few + soon), **limit) as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                await asyncio.gather(*(_print(client) for _ in range(_HANGING)))
                if not limit:
                    server.process.send_signal(signal.SIGTERM)
                await until(lambda: server.process.poll() is not None, "the server ended")
                assert server.process.returncode == 0


async def test_commands_that_should_start_on_a_dead_disk_hold_up_no_others(
    tmp_path: Path, folder: Path
) -> None:
    with running(tmp_path / "server", wrap=mounting()) as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                body = {"cwd": str(folder / "inside"), "timeout": 60}
                calls = [asyncio.create_task(_refusal(client, body)) for _ in range(_HANGING)]
                leaving = asyncio.create_task(_refusal(client, body))
                async with asyncio.timeout(20):
                    for number in range(10):
                        await client.json("GET", "/health")
                        assert (await client.execute(f"echo {number}"))["stdout"] == f"{number}\n"
                leaving.cancel()
                assert not any(call.done() for call in calls)
            assert set(await asyncio.gather(*calls)) == {422}
            assert (await client.execute("echo well"))["stdout"] == "well\n"


async def test_a_command_that_should_start_on_a_dead_disk_is_given_up_in_the_end(
    tmp_path: Path, folder: Path
) -> None:
    program = changed("from terminal_server.commands import starting; starting.START_SECONDS = 1")
    with running(tmp_path / "server", wrap=mounting(), program=program) as server:
        async with connected(server) as client:
            with _dead_disk(server, folder):
                body = {"command": "touch ~/begun", "cwd": str(folder / "inside")}
                answer = await client.json("POST", "/execute", 503, json=body)
                assert answer["detail"] == f"{folder}/inside: no command could be started there for 1 s"
            await until(lambda: not children(server.process.pid), "what hung was ended")
            assert not (server.home / "begun").exists()


def _logging_to(
    folder: Path, place: Path, program: tuple[str, ...] = ("-m", "terminal_server"), **variables: str
) -> contextlib.AbstractContextManager[Server]:
    return running(
        place,
        wrap=mounting(),
        program=program,
        TERMINAL_SERVER_LOG_DIR=str(folder),
        TERMINAL_SERVER_STOP_SECONDS="1",
        TERMINAL_SERVER_KILL_GRACE_SECONDS="0.1",
        **variables,
    )


async def _print(client: Client) -> None:
    """Have a command print something, which is to be written to its log."""
    answer = await client.json("POST", "/execute?wait=20", json={"command": "echo well"})
    assert answer["output"] == [{"type": "stdout", "data": "well\n"}]


async def _refusal(client: Client, body: dict[str, object]) -> int:
    async with client.request("POST", "/execute", json={"command": "true", **body}) as response:
        assert "dead" in (await response.json())["detail"]
        return int(response.status)


async def _status(client: Client, folder: Path) -> int:
    async with client.request("GET", "/files/read", params={"path": str(folder / "file")}) as response:
        assert "detail" in await response.json()
        return int(response.status)
