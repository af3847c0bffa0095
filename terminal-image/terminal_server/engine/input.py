"""Writes what a program reads."""

import asyncio
import os
from collections.abc import Iterator

from terminal_server.engine import terminal
from terminal_server.engine.pipes import Feed

_CHUNK = 64 * 1024


class InputClosedError(Exception):
    """Nobody reads what would be written."""


class Input:
    """The writing end of a program's input: a pipe, or a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._room: asyncio.Future[None] | None = None
        self._open = True
        os.set_blocking(descriptor, False)

    async def write(self, data: bytes) -> None:
        """Write all of it, as fast as it is read. Who writes at the same time waits.

        Raises:
            InputClosedError: the program closed its input, or has ended.
        """
        async with self._turn:
            rest = memoryview(data)
            while rest:
                if not self._open:
                    raise InputClosedError
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:
                    await self._wait_for_room()
                except OSError:
                    self.close()
                    raise InputClosedError from None

    async def end(self) -> None:
        """Have the program read the end.

        Raises:
            InputClosedError: it has.
        """
        if not self._open:
            raise InputClosedError
        self.close()

    def close(self) -> None:
        """Close it, whether the program has read it or not."""
        if self._open:
            self._open = False
            self._wake()
            os.close(self._descriptor)

    async def _wait_for_room(self) -> None:
        self._room = self._loop.create_future()
        self._loop.add_writer(self._descriptor, self._wake)
        try:
            await self._room
        finally:
            self._wake()

    def _wake(self) -> None:
        if self._room is None:
            return
        self._loop.remove_writer(self._descriptor)
        if not self._room.done():
            self._room.set_result(None)
        self._room = None


class TerminalInput(Input):
    """A terminal that is only read from. What a program prints there all the same is printed like the rest."""

    def __init__(self, descriptor: int, feed: Feed) -> None:
        super().__init__(descriptor)
        self._feed = feed
        self._listen()

    async def write(self, data: bytes) -> None:
        """Write all of it; see `Input`."""
        await super().write(b"".join(_passed_on(data)))

    async def end(self) -> None:
        """Have the program read the end, as Ctrl-D does: who reads after that reads on."""
        await super().write(terminal.END)

    def close(self) -> None:
        """Close it, whether the program has read it or not."""
        if self._open:
            self._printed()
            self._loop.remove_reader(self._descriptor)
        super().close()

    def _listen(self) -> None:
        if self._open:
            self._loop.add_reader(self._descriptor, self._printed)

    def _printed(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            # Nobody has it open any more.
            self._loop.remove_reader(self._descriptor)
            return
        pause = self._feed("stdout", data)
        if pause is not None:
            self._loop.remove_reader(self._descriptor)
            pause.add_done_callback(lambda _: self._listen())


def _passed_on(data: bytes) -> Iterator[bytes]:
    """Yield what makes a terminal pass on data at once: within a line, the key that ends the input does that."""
    for line in data.splitlines(keepends=True):
        for start in range(0, len(line), terminal.LINE_BYTES):
            piece = line[start : start + terminal.LINE_BYTES]
            yield piece if piece.endswith((b"\n", b"\r")) else piece + terminal.END
