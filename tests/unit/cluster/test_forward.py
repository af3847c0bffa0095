"""The forwarder, between two real sockets. The networks here are one and the same."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from localcluster.settings import CLUSTER_DIR

from tests.contract.running import free_port

MEGABYTES = 32


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers, after all was said, with how much that was."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                heard = 0
                while piece := client.recv(1 << 20):
                    heard += len(piece)
                client.sendall(str(heard).encode())

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def forwarded(echo: int) -> Iterator[int]:
    """The port that leads to the echo server."""
    port = free_port()
    program = str(CLUSTER_DIR / "localcluster" / "forward.py")
    process = subprocess.Popen([sys.executable, program, "/proc/self/ns/net", f"{port}:{echo}"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "the forwarder does not listen"
        else:
            return


def test_everything_sent_arrives_and_the_answer_comes_after_the_end(forwarded: int) -> None:
    with socket.create_connection(("127.0.0.1", forwarded), 10) as connection:
        for _ in range(MEGABYTES):
            connection.sendall(b"x" * (1 << 20))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == str(MEGABYTES << 20).encode()


def test_one_that_goes_away_in_the_middle_disturbs_no_other(forwarded: int) -> None:
    rude = socket.create_connection(("127.0.0.1", forwarded), 10)
    rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    rude.sendall(b"x" * 100)
    rude.close()
    with socket.create_connection(("127.0.0.1", forwarded), 10) as connection:
        connection.sendall(b"y" * 10)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b"10"
