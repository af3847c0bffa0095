"""What is said when no connection can be accepted."""

import asyncio
import logging

import pytest
from terminal_server.accepting import Complaints


async def test_it_is_said_once_a_minute_that_no_connection_can_be_accepted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    complaints = Complaints(clock=lambda: now)
    context = {
        "message": "socket.accept() out of system resource",
        "exception": OSError(24, "Too many open files"),
    }
    for _ in range(2048):
        complaints(asyncio.get_running_loop(), context)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Too many open files" in caplog.text
    assert "Traceback" not in caplog.text
    now = 61.0
    complaints(asyncio.get_running_loop(), context)
    assert len(caplog.records) == 2


async def test_everything_else_is_told_as_always(caplog: pytest.LogCaptureFixture) -> None:
    Complaints()(asyncio.get_running_loop(), {"message": "something else", "exception": ValueError("x")})
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
