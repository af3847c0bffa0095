"""The output of commands that is kept in memory."""

import shutil
from pathlib import Path

from terminal_server.activity import Activity
from terminal_server.commands.entries import NOTICE
from terminal_server.commands.registry import Command, Commands
from terminal_server.commands.views import look
from terminal_server.engine import Feed, Process
from terminal_server.sessions import Session
from terminal_server.settings import Settings


async def test_the_newest_is_kept_however_much_was_printed_before(tmp_path: Path) -> None:
    commands = Commands(Settings(log_dir=tmp_path / "logs"), Activity())
    for _ in range(80):
        await _printed(commands, 900_000)
    newest = [await _printed(commands, 60_000) for _ in range(50)]
    await commands.close()
    shutil.rmtree(tmp_path / "logs")
    for command in newest:
        view = await look(command.log, offset=None, tail=None, budget=100_000)
        assert [entry.kind for entry in view.entries if entry.kind == NOTICE] == []
        assert sum(len(entry.data) for entry in view.entries) == 60_000


async def _printed(commands: Commands, size: int) -> Command:
    """A command that has printed so much, all of which is on the disk."""

    async def start(feed: Feed) -> tuple[Process, Path]:
        process = Process(0, [], _end)
        feed("stdout", b"x" * size)
        process.on_exit(0)
        return process, Path("/")

    command = await commands.start("print", Session(), start)
    await command.ended.wait()
    await command.log.settle()
    return command


async def _end(_process: Process, _force: bool) -> None:  # noqa: FBT001 - as it is called
    pass
