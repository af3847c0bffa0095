"""Answers that are made while they are sent."""

import asyncio
import threading
from collections.abc import Generator

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Scope
from terminal_server.drawn import DrawnResponse

_SCOPE: Scope = {"type": "http", "asgi": {"spec_version": "2.4"}}


async def _connected() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_every_piece_is_sent() -> None:
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    await DrawnResponse(piece for piece in (b"a", b"", b"b"))(_SCOPE, _connected, send)

    assert sent == [b"", b"a", b"b", b""]


async def test_what_makes_the_pieces_is_closed_when_the_client_leaves() -> None:
    closed = threading.Event()

    def pieces() -> Generator[bytes, None, None]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.set()

    async def send(message: Message) -> None:
        if message.get("body") == b"a":
            raise OSError

    response = DrawnResponse(pieces())
    with pytest.raises(ClientDisconnect):
        await response(_SCOPE, _connected, send)

    assert closed.is_set()


async def test_what_makes_the_pieces_is_closed_after_the_one_it_was_at() -> None:
    began, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def pieces() -> Generator[bytes, None, None]:
        try:
            began.set()
            go_on.wait(10)
            yield b"a"
        finally:
            closed.set()

    async def send(message: Message) -> None:
        pass

    answering = asyncio.create_task(DrawnResponse(pieces())(_SCOPE, _connected, send))
    await asyncio.to_thread(began.wait, 10)
    answering.cancel()
    assert not await asyncio.to_thread(closed.wait, 0.2)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await answering

    assert closed.is_set()
