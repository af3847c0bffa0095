"""How the server begins."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import KEY, free_port, running, until


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TERMINAL_", "OPEN_"))}
    path = os.pathsep.join(folder for folder in sys.path if folder)
    return {**kept, "HOME": str(tmp_path), "PYTHONPATH": path}


@pytest.fixture
def held_up(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server that cannot go on before somebody writes the key into a FIFO: its port, and the FIFO."""
    fifo, port = tmp_path / "key", free_port()
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "terminal_server", "run", "--host", "127.0.0.1", "--port", str(port)],
        env={**environment, "OPEN_TERMINAL_API_KEY_FILE": str(fifo)},
    )
    try:
        yield port, fifo
    finally:
        process.kill()
        process.wait()


async def test_who_comes_while_it_starts_waits_for_the_answer_instead_of_being_refused(
    held_up: tuple[int, Path],
) -> None:
    port, fifo = held_up

    connections: list[socket.socket] = []

    def connects() -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            connections.append(socket.create_connection(("127.0.0.1", port), 20))
        return bool(connections)

    await until(connects, "the port is open")
    with connections[0] as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await asyncio.to_thread(fifo.write_text, KEY)
        assert (await asyncio.to_thread(connection.recv, 100)).startswith(b"HTTP/1.1 200")


def _run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "terminal_server", "run", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)


async def test_a_port_that_is_taken_is_named(environment: dict[str, str]) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    done = await asyncio.to_thread(_run, environment, "--host", "127.0.0.1", "--port", str(port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    taken.close()


@pytest.mark.parametrize("port", ["http", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_name(environment: dict[str, str], port: str) -> None:
    done = _run({**environment, "TERMINAL_SERVER_PORT": port})
    assert done.returncode == 2
    assert "setting port:" in done.stderr


@pytest.mark.parametrize("value", ["true", "1", "Yes", "on", "enabled"])
def test_it_does_not_serve_users_together_who_were_kept_apart(
    environment: dict[str, str], value: str
) -> None:
    variables = {**environment, "OPEN_TERMINAL_MULTI_USER": value}
    done = _run(variables, "--host", "127.0.0.1", "--port", str(free_port()))
    assert done.returncode == 2
    assert "OPEN_TERMINAL_MULTI_USER: " in done.stderr
    assert "every user needs a terminal of their own" in done.stderr


@pytest.mark.parametrize("value", ["False", "0", "no", ""])
def test_users_who_were_together_before_still_are(tmp_path: Path, value: str) -> None:
    with running(tmp_path, OPEN_TERMINAL_MULTI_USER=value) as server:
        assert "MULTI_USER" not in server.logged()
