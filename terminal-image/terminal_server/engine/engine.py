"""Starts commands, and ends them all."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from terminal_server.engine import terminal, tree
from terminal_server.engine.descriptors import Descriptors
from terminal_server.engine.input import Input, TerminalInput
from terminal_server.engine.marks import VARIABLE, Mark, Marks
from terminal_server.engine.pipes import Feed, Pipe, Stream
from terminal_server.engine.process import EndTree, Process
from terminal_server.engine.reaper import Reaper
from terminal_server.engine.spawning import Action
from terminal_server.engine.starting import SpawnError, Start

_T = TypeVar("_T")

STARTERS = 2
"""How many threads start programs: each waits until its own has a processor."""
_STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
_ARGUMENT_LIMIT = 128 * 1024 - 1
# Longer than the kernel lets an argument be: the shell reads the script from its input, and gives that up.
_SCRIPT_FROM_INPUT = 'eval "exec </dev/null\n$(cat)"'

# A shell that leads a session makes a terminal it finds on its input the one that controls it, and when it ends
# the kernel would hang up on what it left in the background. So it gets its input when it has looked.
_TAKE_INPUT = "exec <&3 3<&-; "


class EngineClosedError(SpawnError):
    """The server is stopping."""


class Stdin(Enum):
    """What a program reads from."""

    NOTHING = "nothing"
    PIPE = "pipe"
    TERMINAL = "terminal"
    """For `spawn` only: a terminal that does not control it; a pipe where there is none left. Many programs ask
    whether their input is one, and take a pipe for what they should read to its end."""


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

    def __init__(
        self, *, shell: str, environment: Mapping[str, str], kill_grace_seconds: float, starters: Executor
    ) -> None:
        self.shell = shell
        self.environment = dict(environment)
        self._grace = kill_grace_seconds
        self._reaper = Reaper()
        self._table = tree.ProcessTable()
        self._marks = Marks()
        self._starters = starters
        self._launches: set[asyncio.Task[Any]] = set()
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
        stdin: Stdin = Stdin.NOTHING,
    ) -> Process:
        """Start the shell with `command`, in a session of its own; `feed` gets what it prints.

        Args:
            command: a script, of any length.
            cwd: where it starts.
            feed: called with every piece of output.
            environment: variables besides the engine's own.
            stdin: what the process reads from. A command longer than an argument may be reads nothing.

        Raises:
            SpawnError: no process could be made; BadFolderError and TooLargeError say so.
            ValueError: the command or a variable holds a NUL, or a variable has no name.
        """
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        if stdin is Stdin.TERMINAL:
            command = _TAKE_INPUT + command
        if len(script := command.encode()) <= _ARGUMENT_LIMIT:
            program = Program([self.shell, "-c", command], cwd, environment or {})
        else:
            script = script.removeprefix(_TAKE_INPUT.encode())
            program = Program([self.shell, "-c", _SCRIPT_FROM_INPUT], cwd, environment or {}, script)
        return await self.launch(program, feed=feed, stdin=stdin)

    async def launch(self, program: Program, *, feed: Feed, stdin: Stdin = Stdin.NOTHING) -> Process:
        """Start a program, in a session of its own; for the rest see `spawn`."""
        return await self._surely(self._launch(program, feed, stdin), lambda process: process.end(force=True))

    async def launch_in_terminal(self, program: Program, *, rows: int, columns: int) -> tuple[Process, int]:
        """Start a program as the leader of a terminal of its own, as a login does.

        Returns the process, and a descriptor of the terminal: what is read from it was printed, what is written
        to it was typed. The caller closes it, which hangs the terminal up.

        Raises:
            SpawnError: no terminal or no process could be made, or the program's `cwd` is no folder.
        """
        return await self._surely(self._launch_in_terminal(program, rows, columns), _hang_up)

    async def close(self) -> None:
        """End every process that descends from this one, and start no more."""
        self._closed = True
        if self._launches:
            # One that should start on a disk that does not answer is ended as it is.
            await asyncio.wait(self._launches, timeout=self._grace)
        await tree.end(self._find_everything, self._grace)
        await asyncio.gather(*self._endings, return_exceptions=True)
        for pipe in list(self._pipes):
            pipe.close()

    async def stop(self) -> None:
        """Close, and leave the process's children to others."""
        await self.close()
        self._reaper.stop()

    async def _surely(
        self, launching: Coroutine[Any, Any, _T], end: Callable[[_T], Coroutine[Any, Any, None]]
    ) -> _T:
        """Launch. Who is cancelled meanwhile cannot end what then begins: `end` does."""
        task = asyncio.create_task(launching)
        self._launches.add(task)
        task.add_done_callback(self._launches.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(lambda task: task.exception() or self._go_on(end(task.result())))
            raise

    def _go_on(self, ending: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """End something, even if who asked for it is cancelled."""
        task = asyncio.create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        return task

    async def _launch(self, program: Program, feed: Feed, stdin: Stdin) -> Process:
        with Descriptors() as theirs, Descriptors() as ours:
            try:
                actions, read = _outputs(theirs, ours)
                more, written = _input(program.script, stdin, theirs, ours)
            except OSError as error:
                raise _no_process(error) from error

            def connected(pid: int, mark: Mark) -> Process:
                ours.keep()
                pipes = [
                    Pipe(descriptor, stream, feed, self._pipes.discard)
                    for descriptor, stream in zip(read, _STREAMS, strict=True)
                ]
                self._pipes.update(pipes)
                writer = None if written is None else _writer(written, feed)
                return Process(pid, pipes, self._ending(pid, mark), writer)

            return await self._started(program, [*actions, *more], connected)

    async def _launch_in_terminal(self, program: Program, rows: int, columns: int) -> tuple[Process, int]:
        with Descriptors() as theirs, Descriptors() as ours:
            try:
                descriptor, other, actions = terminal.open_for_program(rows=rows, columns=columns)
            except OSError as error:
                raise SpawnError(f"there is no terminal left: {error.strerror}") from error
            ours.add(descriptor)
            theirs.add(other)
            process = await self._started(
                program, actions, lambda pid, mark: Process(pid, [], self._ending(pid, mark))
            )
            ours.keep()
            return process, descriptor

    async def _started(
        self, program: Program, actions: Sequence[Action], connected: Callable[[int, Mark], Process]
    ) -> Process:
        """Start a program; return what `connected` makes of its process id."""
        if self._closed:
            raise EngineClosedError("the server is stopping")
        with self._marks.starting() as mark:
            environment = {**self.environment, **program.environment, VARIABLE: mark.variable}
            start = Start(program.arguments, program.cwd, environment, actions, mark.own)
            begun = self._reaper.moment
            pid = await asyncio.get_running_loop().run_in_executor(self._starters, start)
            process = connected(pid, mark)
            self._reaper.expect(pid, process.on_exit, since=begun)
            return process

    def _ending(self, root: int, mark: Mark) -> EndTree:
        """Return what ends the tree of `root`."""
        return partial(self._end, tree.Family(root, mark))

    def _end(self, family: tree.Family, process: Process, force: bool) -> Awaitable[None]:  # noqa: FBT001 - as it is called
        async def find() -> list[tree.Entry]:
            return family.living(await self._table.read(), led=process.exit_code is None)

        return asyncio.shield(self._go_on(tree.end(find, None if force else self._grace)))

    async def _find_everything(self) -> list[tree.Entry]:
        return tree.of_everything(await self._table.read())


async def _hang_up(launched: tuple[Process, int]) -> None:
    process, descriptor = launched
    os.close(descriptor)
    await process.end(force=True)


def _no_process(error: OSError) -> SpawnError:
    return SpawnError(f"the command could not be started: {error.strerror}")


def _outputs(theirs: Descriptors, ours: Descriptors) -> tuple[list[Action], list[int]]:
    """Make pipes for both streams: what the process does with them, and their reading ends."""
    actions: list[Action] = []
    read = []
    for number in (1, 2):
        reading, writing = os.pipe()
        read.append(ours.add(reading))
        actions.append((os.POSIX_SPAWN_DUP2, theirs.add(writing), number))
    return actions, read


def _input(
    script: bytes | None, stdin: Stdin, theirs: Descriptors, ours: Descriptors
) -> tuple[list[Action], int | None]:
    """Make what the process reads from: how it gets that, and where it is written to, if it can be."""
    nothing: Action = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    if script is not None:
        descriptor = theirs.add(os.memfd_create("command"))
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(script)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return [(os.POSIX_SPAWN_DUP2, descriptor, 0)], None
    if stdin is Stdin.NOTHING:
        return [nothing], None
    writing, reading = _input_ends(stdin)
    ours.add(writing)
    theirs.add(reading)
    if stdin is Stdin.TERMINAL:
        return [nothing, (os.POSIX_SPAWN_DUP2, reading, 3)], writing
    return [(os.POSIX_SPAWN_DUP2, reading, 0)], writing


def _input_ends(stdin: Stdin) -> tuple[int, int]:
    if stdin is Stdin.TERMINAL:
        with contextlib.suppress(OSError):
            return terminal.open_for_input()
    reading, writing = os.pipe()
    return writing, reading


def _writer(descriptor: int, feed: Feed) -> Input:
    return TerminalInput(descriptor, feed) if os.isatty(descriptor) else Input(descriptor)
