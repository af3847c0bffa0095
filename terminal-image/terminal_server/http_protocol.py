"""HTTP connections whose answers may hold parts of files that the kernel sends, and that tell of their own end.

The bytes of a large file then neither pass through this process nor take its time. Disks may be slow, so the kernel
is asked to by a worker thread, for what the connection has room for: no thread waits for a client.

That a client has left is otherwise heard only by who has taken all it sent before. Who passes that on to a program,
which may never take it, must hear it nevertheless.
"""

import asyncio
import os
import weakref
from collections.abc import Awaitable, Callable
from functools import partial

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from terminal_server.http_limits import LimitedProtocol

EXTENSION = "terminal_server.send_file"
"""The extension of a request's scope whose `send` is a `SendFile`."""
SendFile = Callable[[int, int, int], Awaitable[int]]
"""Sends the bytes of a descriptor from a position to another as part of the body; returns how far it came."""
LEFT_EXTENSION = "terminal_server.left"
"""The extension whose `wait` returns when the connection is lost, whatever the client sent before."""

_MOST_AT_ONCE = 1024 * 1024


class Protocol(LimitedProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self._lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._lost.set()

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.scope["extensions"] = {
                # A request that knew its own cycle would be garbage that only a search for such finds.
                EXTENSION: {"send": partial(self._send_file, weakref.ref(self.cycle))},
                LEFT_EXTENSION: {"wait": self._lost.wait},
            }

    async def _send_file(
        self, known: weakref.ref[RequestResponseCycle], descriptor: int, begin: int, end: int
    ) -> int:
        # It lasts as long as its request is being answered.
        if (cycle := known()) is None:
            return begin
        # Bytes that still wait in this process come first.
        self.transport.set_write_buffer_limits(0)
        try:
            await self.flow.drain()
            # What is written to a connection that is being closed is thrown away: the head was, so is the body.
            if cycle.disconnected or self.transport.is_closing():
                return begin
            position = await self._pass_on(descriptor, begin, end)
        finally:
            self.transport.set_write_buffer_limits()
        cycle.expected_content_length -= position - begin
        return position

    async def _pass_on(self, descriptor: int, begin: int, end: int) -> int:
        # A descriptor of its own: the connection's may be closed, and its number be another's, at any time.
        target = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            while begin < end:
                sent = await _send(target, descriptor, begin, min(_MOST_AT_ONCE, end - begin))
                if not sent:
                    break
                begin += sent
        except OSError:
            self.transport.abort()
            await asyncio.sleep(0)
        finally:
            os.close(target)
        return begin


async def _send(target: int, descriptor: int, begin: int, size: int) -> int:
    """Send at least one byte, and return how many; none at the end of the file."""
    while True:
        sending = asyncio.get_running_loop().run_in_executor(
            None, os.sendfile, target, descriptor, begin, size
        )
        try:
            return await asyncio.shield(sending)
        except BlockingIOError:
            await _writable(target)
        except asyncio.CancelledError:
            # Whoever closes a descriptor must know that nobody uses it.
            await asyncio.wait([sending])
            raise


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    loop.add_writer(descriptor, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(descriptor)
