"""Starts commands, and ends them all."""

import asyncio
import contextlib
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from terminal_server.engine import terminal, tree
from terminal_server.engine.pipes import Feed, Input, Pipe, Stream
from terminal_server.engine.process import Process
from terminal_server.engine.reaper import Reaper

_STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
_ARGUMENT_LIMIT = 128 * 1024 - 1
# Longer than the kernel lets an argument be: the shell reads the script from its input, and gives that up.
_SCRIPT_FROM_INPUT = 'eval "exec </dev/null\n$(cat)"'


class SpawnError(Exception):
    """The system could not start a process."""


class EngineClosedError(SpawnError):
    """The server is stopping."""


@dataclass(frozen=True)
class Program:
    """What to start."""

    arguments: Sequence[str]
    """The program, found by the PATH of commands, and its arguments."""
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables besides the engine's own."""
    script: bytes | None = None
    """What it reads from its input, if that is known from the start."""


class Engine:
    """The commands of this server. One per process: it waits for all of the process's children."""

    def __init__(self, *, shell: str, environment: Mapping[str, str], kill_grace_seconds: float) -> None:
        self.shell = shell
        self.environment = dict(environment)
        self._grace = kill_grace_seconds
        self._reaper = Reaper()
        self._table = tree.ProcessTable()
        self._turn = asyncio.Lock()
        self._pipes: set[Pipe] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self) -> None:
        """Get ready to run commands. Needs the main thread, as signals do."""
        self._reaper.start()

    async def spawn(
        self,
        command: str,
        *,
        cwd: Path,
        feed: Feed,
        environment: Mapping[str, str] | None = None,
        stdin: bool = False,
    ) -> Process:
        """Start the shell with `command`, in a session of its own; `feed` gets what it prints.

        Args:
            command: a script, of any length.
            cwd: where it starts.
            feed: called with every piece of output.
            environment: variables besides the engine's own.
            stdin: whether the process gets an input that can be written to; without, it is empty.

        Raises:
            SpawnError: no process could be made, or `cwd` is not a folder one can be in.
            ValueError: the command or a variable holds a NUL, or a variable has no name.
        """
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        script = command.encode()
        if len(script) <= _ARGUMENT_LIMIT:
            program = Program([self.shell, "-c", command], cwd, environment or {})
        elif stdin:
            raise ValueError(f"a command that reads an input has at most {_ARGUMENT_LIMIT} bytes")
        else:
            program = Program([self.shell, "-c", _SCRIPT_FROM_INPUT], cwd, environment or {}, script)
        return await self.launch(program, feed=feed, stdin=stdin)

    async def launch(self, program: Program, *, feed: Feed, stdin: bool = False) -> Process:
        """Start a program, in a session of its own; for the rest see `spawn`."""
        async with self._turn_to_start():
            return self._start(program, feed, stdin=stdin)

    async def launch_in_terminal(self, program: Program, *, rows: int, columns: int) -> tuple[Process, int]:
        """Start a program as the leader of a terminal of its own, as a login does.

        Returns the process, and a descriptor of the terminal: what is read from it was printed, what is written
        to it was typed. The caller closes it, which hangs the terminal up.

        Raises:
            SpawnError: no terminal or no process could be made, or the program's `cwd` is no folder.
        """
        async with self._turn_to_start():
            marker, environment = self._environment(program)
            try:
                pid, descriptor = terminal.start(
                    program.arguments, program.cwd, environment, rows=rows, columns=columns
                )
            except OSError as error:
                raise SpawnError(f"the shell could not be started: {error}") from error
            process = Process(pid, [], self._ending(pid, marker))
            self._reaper.expect(pid, process.on_exit)
            return process, descriptor

    async def close(self) -> None:
        """End every process that descends from this one, and start no more."""
        self._closed = True
        await tree.end(self._find_everything, self._grace)
        await asyncio.gather(*self._endings, return_exceptions=True)
        for pipe in list(self._pipes):
            pipe.close()

    async def stop(self) -> None:
        """Close, and leave the process's children to others."""
        await self.close()
        self._reaper.stop()

    @contextlib.asynccontextmanager
    async def _turn_to_start(self) -> AsyncIterator[None]:
        """One start per pass of the event loop, so that others get their turn while hundreds are started."""
        async with self._turn:
            if self._closed:
                raise EngineClosedError("the server is stopping")
            yield
            await asyncio.sleep(0)

    def _environment(self, program: Program) -> tuple[str, dict[str, str]]:
        marker = secrets.token_hex(8)
        return marker, {**self.environment, **program.environment, tree.MARKER: marker}

    def _start(self, program: Program, feed: Feed, *, stdin: bool) -> Process:
        marker, environment = self._environment(program)
        with contextlib.ExitStack() as opened:
            out_read, out_write = _pipe(opened)
            err_read, err_write = _pipe(opened)
            in_read, in_write = (
                _pipe(opened) if stdin else (opened.enter_context(_input(program.script)), None)
            )
            try:
                popen = subprocess.Popen(  # noqa: S603 - running what it is told is the purpose
                    program.arguments,
                    stdin=in_read,
                    stdout=out_write,
                    stderr=err_write,
                    cwd=program.cwd,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise SpawnError(f"the command could not be started: {error}") from error
            kept = [os.dup(descriptor) for descriptor in (out_read, err_read)]
            writer = Input(os.dup(in_write)) if in_write is not None else None
        pipes = [
            Pipe(descriptor, stream, feed, self._pipes.discard)
            for descriptor, stream in zip(kept, _STREAMS, strict=True)
        ]
        self._pipes.update(pipes)
        process = Process(popen.pid, pipes, self._ending(popen.pid, marker), writer)

        def ended(code: int) -> None:
            popen.returncode = code
            process.on_exit(code)

        self._reaper.expect(popen.pid, ended)
        return process

    def _ending(self, root: int, marker: str) -> Callable[[bool], Awaitable[None]]:
        """Return what ends the tree of `root`; its argument says whether by force."""

        async def find() -> list[tree.Entry]:
            return tree.of_command(await self._table.read(), root, marker)

        def end(force: bool) -> Awaitable[None]:  # noqa: FBT001 - for Process alone
            # Goes on to its end even if who asked for it is cancelled.
            ending = asyncio.create_task(tree.end(find, None if force else self._grace))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
            return asyncio.shield(ending)

        return end

    async def _find_everything(self) -> list[tree.Entry]:
        return tree.of_everything(await self._table.read())


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe, both ends of which are closed with `opened`."""
    ends = os.pipe()
    for descriptor in ends:
        opened.callback(os.close, descriptor)
    return ends


@contextlib.contextmanager
def _input(source: bytes | None) -> Iterator[int]:
    """Give a descriptor for the shell's input: nothing, or a script."""
    if source is None:
        yield subprocess.DEVNULL
        return
    descriptor = os.memfd_create("command")
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(source)
        file.seek(0)
        yield file.fileno()
