"""One interactive shell: a program in a terminal of its own, and at most one connection that shows it.

What it prints is read whether somebody is connected or not, so that nothing in it ever waits for a user who has
gone; but a connection that cannot keep up holds the shell up, as a slow terminal always did.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from terminal_server.engine import Input, Process, terminal
from terminal_server.sessions import Session
from terminal_server.shells.scrollback import Scrollback
from terminal_server.shells.viewer import End, Viewer

ROWS, COLUMNS = 24, 80
_MOST_CELLS = 2000
_CHUNK = 64 * 1024
_DRAIN_BYTES = 1024 * 1024
_REDRAW_SECONDS = 0.3
"""A program whose pod has used up its share of a processor waits for a tenth of a second until it sees its size."""

NORMAL, TAKEN = 1000, 4009


class Shell:
    """A shell that runs."""

    def __init__(
        self,
        shell_id: str,
        session: Session,
        process: Process,
        descriptor: int,
        *,
        scrollback: Scrollback,
        on_change: Callable[["Shell"], None],
    ) -> None:
        """Take over a program and the descriptor of its terminal; `on_change` hears of connections and the end."""
        self.id = shell_id
        self.session = session
        self.created_at = datetime.now(UTC)
        self.changed_at = time.monotonic()
        """When somebody connected or left last, on the clock of `time.monotonic`."""
        self.ended = False
        self.was_connected = False
        self._process = process
        self._descriptor = descriptor
        self._scrollback = scrollback
        self._on_change = on_change
        self._viewer: Viewer | None = None
        self._size = ROWS, COLUMNS
        self._redraw: asyncio.TimerHandle | None = None
        self._reads = False
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._input = Input(os.dup(descriptor))
        self._watching = asyncio.create_task(self._watch())
        self._read_on()

    @property
    def pid(self) -> int:
        """The process id of the shell."""
        return self._process.pid

    @property
    def connected(self) -> bool:
        """Whether a connection shows it."""
        return self._viewer is not None

    @property
    def runs_in_foreground(self) -> bool:
        """Whether a job has the terminal, and not the shell itself."""
        try:
            return not self.ended and os.tcgetpgrp(self._descriptor) != self.pid
        except OSError:
            return False

    def attach(self) -> Viewer:
        """Show the shell to a new connection, from what it printed last. One that is there already is ended."""
        if self._viewer is not None:
            self._viewer.finish(End(TAKEN, "Another connection has taken this terminal over"))
        viewer = Viewer(on_room=self._read_on)
        if printed := self._scrollback.replay() if self.was_connected else self._scrollback.content():
            viewer.feed(printed)
        if self.was_connected and self._scrollback.full_screen:
            self._have_it_redrawn()
        self._viewer = viewer
        self.was_connected = True
        self._changed()
        self._read_on()
        return viewer

    def detach(self, viewer: Viewer) -> None:
        """Take notice that a connection has gone."""
        if self._viewer is viewer:
            self._viewer = None
            self._changed()
            self._read_on()

    async def type(self, data: bytes) -> None:
        """Type something; waits until the terminal has taken it.

        Raises:
            InputClosedError: the shell has ended.
        """
        await self._input.write(data)

    def resize(self, rows: int, columns: int) -> None:
        """Change the size; one that no screen has is taken for the nearest that one can have."""
        size = min(max(rows, 1), _MOST_CELLS), min(max(columns, 1), _MOST_CELLS)
        # Who connects again says at once how large it is: mostly as before, and then another size has to be seen first.
        if size != self._size or self._redraw is None:
            self._size = size
            self._apply_size(*size)

    def content(self, most: int) -> bytes:
        """Return what it printed last, at most so many bytes."""
        return self._scrollback.content(most)

    async def close(self, end: End, grace_seconds: float) -> None:
        """Hang up, as when the line of a terminal is cut, and end what does not end by that."""
        if self._viewer is not None:
            self._viewer.finish(end)
        self._release()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        await self._process.end()

    async def _watch(self) -> None:
        code = await self._process.wait()
        drained = 0
        while not self.ended and drained < _DRAIN_BYTES and (data := self._read()):
            drained += len(data)
            self._print(data)
        if self._viewer is not None:
            self._viewer.feed(b"\r\n[The shell has ended, exit code %d]\r\n" % code)
            self._viewer.finish(End(NORMAL, f"The shell has ended, exit code {code}"))
        self._release()

    def _release(self) -> None:
        """Let go of the terminal, which hangs it up if the shell still runs."""
        if self.ended:
            return
        self.ended = True
        self._rest()
        if self._redraw is not None:
            self._redraw.cancel()
        self._input.close()
        os.close(self._descriptor)
        self._changed()

    def _changed(self) -> None:
        self.changed_at = time.monotonic()
        self._on_change(self)

    def _read_on(self) -> None:
        if not (self._reads or self.ended or self._hung_up) and not self._held_up:
            self._reads = True
            self._loop.add_reader(self._descriptor, self._readable)

    def _rest(self) -> None:
        if self._reads:
            self._reads = False
            self._loop.remove_reader(self._descriptor)

    @property
    def _held_up(self) -> bool:
        return self._viewer is not None and self._viewer.is_full

    def _readable(self) -> None:
        if data := self._read():
            self._print(data)
        if self._held_up:
            self._rest()

    def _print(self, data: bytes) -> None:
        self._scrollback.add(data)
        if self._viewer is not None:
            self._viewer.feed(data)

    _hung_up = False

    def _read(self) -> bytes:
        """Return what can be read now; a terminal gives a page at a time."""
        pieces: list[bytes] = []
        size = 0
        while size < _CHUNK:
            try:
                piece = os.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                # Nothing has the terminal open any more.
                self._hung_up = True
                self._rest()
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _apply_size(self, rows: int, columns: int) -> None:
        if self._redraw is not None:
            self._redraw.cancel()
            self._redraw = None
        if not self.ended:
            terminal.resize(self._descriptor, rows=rows, columns=columns)

    def _have_it_redrawn(self) -> None:
        """Have a program draw its screen anew: most do so only when the size is another one."""
        rows, columns = self._size
        self._apply_size(rows, columns - 1 if columns > 1 else columns + 1)
        self._redraw = self._loop.call_later(_REDRAW_SECONDS, self._apply_size, rows, columns)
