"""Reads what a command prints, as fast as it is wanted and no faster."""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
from collections.abc import Callable
from typing import Literal

Stream = Literal["stdout", "stderr"]
Feed = Callable[[Stream, bytes], "asyncio.Future[None] | None"]
"""Takes bytes of a stream. Returns None for "go on", or a future: reading rests until it is done, the pipe
fills, and the command waits in its write. That is all the flow control there is."""

_CHUNK = 64 * 1024
"""What a pipe holds as it is made."""
_LARGE_CHUNK = 256 * 1024
_LARGE_PIPE = 1024 * 1024
"""The most that everybody may make a pipe hold."""


class Pipe:
    """The reading end of one stream of a command."""

    def __init__(
        self, descriptor: int, stream: Stream, feed: Feed, on_close: Callable[["Pipe"], None]
    ) -> None:
        self._descriptor = descriptor
        self._stream = stream
        self._feed: Feed | None = feed
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._chunk = _CHUNK
        os.set_blocking(descriptor, False)
        self._resume()

    def finish(self) -> None:
        """Pass on what the pipe holds now; whatever comes later is thrown away.

        For when the command has ended. A child it left behind may hold the pipe open for ever, and may go on
        printing: it is neither waited for, nor killed by a closed pipe, nor stopped by a full one.
        """
        if not self._open:
            return
        held = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, b"\0" * 4))[0]
        while held > 0 and (data := self._read(min(held, _CHUNK))):
            held -= len(data)
            if self._feed is not None:
                self._feed(self._stream, data)
        self._feed = None
        if self._open:
            self._resume()
            self._readable()

    def close(self) -> None:
        """Close it, whatever it holds."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._on_close(self)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._descriptor, self._readable)

    def _readable(self) -> None:
        data = self._read(self._chunk)
        if not data or self._feed is None:
            return
        if len(data) == _CHUNK == self._chunk:
            self._widen()
        pause = self._feed(self._stream, data)
        if pause is not None:
            self._loop.remove_reader(self._descriptor)
            pause.add_done_callback(lambda _: self._resume())

    def _widen(self) -> None:
        """Have a command that prints much wait less often; not every one, as a user's pipes hold only so much."""
        self._chunk = _LARGE_CHUNK
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _LARGE_PIPE)

    def _read(self, size: int) -> bytes:
        try:
            data = os.read(self._descriptor, size)
        except BlockingIOError:
            return b""
        if not data:
            self.close()
        return data
