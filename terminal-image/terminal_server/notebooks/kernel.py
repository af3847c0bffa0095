"""One Jupyter kernel: a process of the user's that runs code and keeps what it makes.

This module is imported when the first notebook is opened: what it needs takes time and memory.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from terminal_server.clients import while_there
from terminal_server.engine import Engine, Feed, Process, Program, SpawnError, Stream
from terminal_server.notebooks.errors import KernelEndedError, KernelStartError
from terminal_server.notebooks.outputs import Outputs
from terminal_server.notebooks.specs import INSTALL, Spec
from terminal_server.notebooks.wire import (
    CONNECTION_FILE,
    MESSAGE_BYTES,
    Message,
    Wire,
    make_folder,
    open_context,
)

_START_SECONDS = 60.0
_ASK_SECONDS = 0.5
_IDLE_SECONDS = 60.0
_QUIET_SECONDS = 10.0
_MOST_ASKED = 100
_LAST_WORDS_SECONDS = 0.2
_SHUT_DOWN_SECONDS = 1.0
_STDERR_PIECES = 16
_STDERR_CHARACTERS = 1000
_SIGNALLED = 128

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Reply:
    """How a run of a cell went."""

    ok: bool
    execution_count: int | None


@dataclass
class _Run:
    """A cell that runs."""

    request: str
    outputs: Outputs
    asked: list[str] = field(default_factory=list)
    """What was asked after the connection had been broken."""
    reply: Message | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class Kernels:
    """Starts kernels. One per server: what their sockets share is made once."""

    def __init__(self, engine: Engine) -> None:
        """Get ready.

        Raises:
            KernelStartError: no thread can be started.
        """
        self._engine = engine
        try:
            self._context = open_context()
        except RuntimeError:
            raise KernelStartError("there are too many processes") from None

    async def start(self, spec: Spec, *, cwd: Path) -> "Kernel":
        """Start a kernel and wait until it answers.

        Raises:
            KernelStartError: it cannot be started, or does not answer in time.
        """
        said: deque[bytes] = deque(maxlen=_STDERR_PIECES)

        def feed(stream: Stream, data: bytes) -> None:
            if stream == "stderr":
                said.append(data[-_STDERR_CHARACTERS:])

        kernel = await self._launch(spec, cwd, feed)
        try:
            await kernel.ready()
        except BaseException as error:
            await kernel.end()
            if isinstance(error, TimeoutError):
                raise KernelStartError(f"it gave no answer in {_START_SECONDS:.0f} s") from None
            if isinstance(error, KernelEndedError):
                raise KernelStartError(_why(b"".join(said))) from None
            raise
        return kernel

    def close(self) -> None:
        """Close the sockets of all kernels."""
        self._context.destroy(linger=0)

    async def _launch(self, spec: Spec, cwd: Path, feed: Feed) -> "Kernel":
        try:
            folder, connection = await asyncio.to_thread(make_folder, spec.name)
        except OSError as error:
            raise KernelStartError(f"no sockets can be made: {error.strerror}") from None
        file = str(folder / CONNECTION_FILE)
        arguments = [argument.replace("{connection_file}", file) for argument in spec.arguments]
        # It ends when the server does, even if that was killed.
        environment = {**spec.environment, "JPY_PARENT_PID": str(os.getpid())}
        try:
            process = await self._engine.launch(Program(arguments, cwd, environment), feed=feed)
        except BaseException as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if isinstance(error, SpawnError | ValueError):
                raise KernelStartError(str(error)) from None
            raise
        return Kernel(spec, process, Wire(self._context, connection), folder)


def _why(said: bytes) -> str:
    last = said.decode(errors="replace")[-_STDERR_CHARACTERS:].strip()
    hint = f" ({INSTALL})" if "No module named" in last else ""
    return f"it ended at once{hint}, and said: {last}"


class Kernel:
    """A kernel that runs. `Kernels` makes it."""

    def __init__(self, spec: Spec, process: Process, wire: Wire, folder: Path) -> None:
        self._spec = spec
        self._process = process
        self._wire = wire
        self._folder = folder
        self._heard = asyncio.Event()
        self._said = 0
        self._run: _Run | None = None
        self._ended = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())
        self._life = asyncio.create_task(self._live())

    @property
    def alive(self) -> bool:
        """Whether cells can be run."""
        return self._process.exit_code is None

    @property
    def epitaph(self) -> str:
        """How it ended."""
        code = self._process.exit_code or 0
        how = f"ended with exit code {code}"
        if code > _SIGNALLED:
            with contextlib.suppress(ValueError):
                how = f"was ended by {signal.Signals(code - _SIGNALLED).name}"
        return f"the kernel {how}; its variables are lost, and it has to be restarted"

    async def ready(self) -> None:
        """Wait until it answers.

        Raises:
            KernelEndedError: it ended instead.
            TimeoutError: it does not answer in time.
        """
        async with asyncio.timeout(_START_SECONDS):
            await self._unless_it_ends(self._answer())

    async def execute(self, source: str, outputs: Outputs) -> Reply:
        """Run code; one piece at a time.

        Raises:
            KernelEndedError: the kernel ended before the code did.
        """
        if not self.alive:
            raise KernelEndedError(self.epitaph)
        self._run = _Run(self._wire.execute(source), outputs)
        try:
            return await self._unless_it_ends(self._result(self._run))
        finally:
            self._run = None

    def interrupt(self) -> None:
        """Have it stop what it does, as Ctrl-C would."""
        if not self.alive:
            return
        if self._spec.interrupted_by_message:
            self._wire.interrupt()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)

    async def end(self) -> None:
        """End it, and everything it started; return when nothing of it is left."""
        if self.alive and self._run is None and self._heard.is_set():
            self._wire.shut_down()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHUT_DOWN_SECONDS):
                    await self._process.wait()
        await self._process.end(force=True)
        await self._ended.wait()

    async def _answer(self) -> None:
        """Ask until there is an answer, and until what it publishes arrives: who listens late misses it."""
        answered = False
        while not (answered and self._heard.is_set()):
            request = self._wire.ask()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ASK_SECONDS):
                    await self._wire.reply(request)
                    answered = True
                    await self._heard.wait()

    async def _unless_it_ends(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        worked = await while_there(work, self._ended.wait())
        if worked is None or worked.cancelled():
            raise KernelEndedError(self.epitaph)
        return worked.result()

    async def _result(self, run: _Run) -> Reply:
        while True:
            finished = await while_there(self._finish(run), self._wire.broken())
            if finished is not None:
                return finished.result()
            await self._connect_again(run)

    async def _finish(self, run: _Run) -> Reply:
        run.reply = run.reply or await self._wire.reply(run.request, *run.asked)
        if run.asked:
            # The next cell must be heard from its beginning.
            self._heard.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_QUIET_SECONDS):
                    await self._answer()
        elif not await self._says_no_more(run):
            run.outputs.note("output may be missing: there was more than could be taken")
        return (
            _reply(run.reply) if run.reply.request == run.request else Reply(ok=False, execution_count=None)
        )

    async def _connect_again(self, run: _Run) -> None:
        """Go on with a cell after a message that was too large has broken the connection."""
        run.reply = run.reply or await self._last_reply(run)
        if not self.alive:
            await self._ended.wait()
            raise KernelEndedError(self.epitaph)
        if not run.asked:
            run.outputs.note(f"output is missing: a piece of more than {MESSAGE_BYTES} bytes does not arrive")
        await self._stop_listening()
        self._wire.open_again()
        self._listening = asyncio.create_task(self._listen())
        if len(run.asked) < _MOST_ASKED:
            # It answers one request after the other: with this answer the cell has ended, if its own was lost.
            run.asked.append(self._wire.ask())

    async def _says_no_more(self, run: _Run) -> bool:
        """Wait until it has said that all is said, or says nothing; tell which. It drops what waits for too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                while not run.idle.is_set():
                    said = self._said
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_QUIET_SECONDS):
                            await run.idle.wait()
                    if self._said == said:
                        break
        return run.idle.is_set()

    async def _last_reply(self, run: _Run) -> Message | None:
        """Return the answer that is there, though something else is broken, if it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                return await self._wire.reply(run.request)
        return None

    async def _live(self) -> None:
        """Listen until the process has ended and nothing of it is left."""
        try:
            await self._process.wait()
            await self._process.end(force=True)
            # What it said before its end is still on its way.
            await asyncio.sleep(_LAST_WORDS_SECONDS)
        finally:
            await self._stop_listening()
            self._ended.set()
            self._wire.close()
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _stop_listening(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            message = await self._wire.published()
            self._heard.set()
            self._said += 1
            run = self._run
            if message is not None and run is not None and message.request == run.request:
                if message.kind == "status" and message.content.get("execution_state") == "idle":
                    run.idle.set()
                else:
                    run.outputs.take(message.kind, message.content)
            # A kernel that never pauses must not keep others from their turn.
            await asyncio.sleep(0)


def _reply(message: Message) -> Reply:
    count = message.content.get("execution_count")
    return Reply(message.content.get("status") == "ok", count if isinstance(count, int) else None)
