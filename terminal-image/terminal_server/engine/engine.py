"""Starts commands, and ends them all."""

import asyncio
import contextlib
import os
import secrets
import subprocess
from collections.abc import Awaitable, Iterator, Mapping
from pathlib import Path

from terminal_server.engine import tree
from terminal_server.engine.pipes import Feed, Pipe
from terminal_server.engine.process import Process
from terminal_server.engine.reaper import Reaper

_ARGUMENT_LIMIT = 128 * 1024 - 1
# Longer than the kernel lets an argument be: the shell reads the script from its input, and gives that up.
_SCRIPT_FROM_INPUT = 'eval "exec </dev/null\n$(cat)"'


class SpawnError(Exception):
    """The system could not start a process."""


class EngineClosedError(SpawnError):
    """The server is stopping."""


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

    async def spawn(self, command: str, *, cwd: Path, feed: Feed) -> Process:
        """Start the shell with `command`, in a session of its own; `feed` gets what it prints.

        Raises:
            SpawnError: no process could be made, or `cwd` is not a folder one can be in.
            ValueError: the command holds a NUL.
        """
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        # One start per pass of the event loop, so that others get their turn while hundreds are started.
        async with self._turn:
            if self._closed:
                raise EngineClosedError("the server is stopping")
            process = self._start(command, cwd, feed)
            await asyncio.sleep(0)
        return process

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

    def _start(self, command: str, cwd: Path, feed: Feed) -> Process:
        marker = secrets.token_hex(8)
        environment = {**self.environment, tree.MARKER: marker}
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        script = command.encode()
        argument, source = (command, None) if len(script) <= _ARGUMENT_LIMIT else (_SCRIPT_FROM_INPUT, script)
        try:
            with _input(source) as stdin:
                popen = subprocess.Popen(  # noqa: S603 - running what it is told is the purpose
                    [self.shell, "-c", argument],
                    stdin=stdin,
                    stdout=out_write,
                    stderr=err_write,
                    cwd=cwd,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            os.close(out_read)
            os.close(err_read)
            raise SpawnError(f"the command could not be started: {error}") from error
        finally:
            os.close(out_write)
            os.close(err_write)
        pipes = [
            Pipe(out_read, "stdout", feed, self._pipes.discard),
            Pipe(err_read, "stderr", feed, self._pipes.discard),
        ]
        self._pipes.update(pipes)
        process = Process(popen, pipes, lambda: self._end(popen.pid, marker))
        self._reaper.expect(popen.pid, process.on_exit)
        return process

    def _end(self, root: int, marker: str) -> Awaitable[None]:
        async def find() -> list[tree.Entry]:
            return tree.of_command(await self._table.read(), root, marker)

        # Goes on to its end even if who asked for it is cancelled.
        ending = asyncio.create_task(tree.end(find, self._grace))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return asyncio.shield(ending)

    async def _find_everything(self) -> list[tree.Entry]:
        return tree.of_everything(await self._table.read())


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
