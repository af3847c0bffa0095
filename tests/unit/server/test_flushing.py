"""Logs that are written together."""

import asyncio
import threading
from pathlib import Path

import pytest
from terminal_server.activity import Activity
from terminal_server.commands import log as log_module
from terminal_server.commands.flushing import flush_all
from terminal_server.commands.log import Log
from terminal_server.commands.logfile import Appended, LogFile
from terminal_server.commands.registry import Command, Commands
from terminal_server.engine import Feed, Process
from terminal_server.sessions import Session
from terminal_server.settings import Settings


class Account:
    """A budget that knows what was taken from it, and has no limit."""

    def __init__(self) -> None:
        self.taken = 0

    def reserve(self, size: int, _already: int) -> tuple[int, str]:
        """Grant all."""
        self.taken += size
        return size, ""

    def give_back(self, size: int) -> None:
        """Take back."""
        self.taken -= size


async def test_each_has_its_own_and_one_that_cannot_be_written_takes_none_along(tmp_path: Path) -> None:
    logs = [_printed(tmp_path, number) for number in range(3)]
    logs[1].path.mkdir()
    flush_all(logs)
    for log in logs:
        await log.settle()
    assert [log.problem for log in logs] == [None, "Is a directory", None]
    assert [log.on_disk for log in logs] == [1, 0, 1]
    assert [logs[0].path.read_bytes(), logs[2].path.read_bytes()] == [b"0", b"2"]


async def test_one_that_is_given_up_before_its_turn_is_not_written_and_takes_no_disk(tmp_path: Path) -> None:
    account = Account()
    log, other = _printed(tmp_path, 0, account), _printed(tmp_path, 1)
    flush_all([log, other])
    log.give_up()
    await log.settle()
    assert account.taken == 0
    assert not log.path.exists()
    assert other.path.read_bytes() == b"1"


async def test_what_is_printed_while_others_are_written_is_written_too(tmp_path: Path) -> None:
    log = _printed(tmp_path, 0)
    flush_all([log, _printed(tmp_path, 1)])
    # They are on their way to the disk when more comes.
    await asyncio.sleep(0)
    log.feed("stdout", b"more")
    await log.settle()
    assert log.path.read_bytes() == b"0more"


async def test_however_many_commands_end_one_thread_writes_their_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, most, passes = 0, 0, 0
    append, first = LogFile.append, threading.Event()

    def watched(self: LogFile, data: bytes, position: int, records: bytes, number: int) -> Appended:
        nonlocal writing, most, passes
        writing, passes = writing + 1, passes + 1
        most = max(most, writing)
        # The first takes until all have ended.
        first.wait(10)
        done = append(self, data, position, records, number)
        writing -= 1
        return done

    monkeypatch.setattr(LogFile, "append", watched)
    monkeypatch.setattr(log_module, "_FLUSH_SECONDS", 0)
    commands = Commands(Settings(log_dir=tmp_path / "logs"), Activity())
    ended = [await _run(commands, number) for number in range(100)]
    first.set()
    await commands.close()
    assert most == 1
    assert passes == len(ended)
    assert [command.log.path.read_text() for command in ended] == [str(number) for number in range(100)]


def _printed(folder: Path, number: int, account: Account | None = None) -> Log:
    log = Log(folder / f"{number}.log", account or Account(), 1024)
    log.feed("stdout", b"%d" % number)
    log.finish()
    return log


async def _run(commands: Commands, number: int) -> Command:
    async def start(feed: Feed) -> tuple[Process, Path]:
        process = Process(0, [], _end)
        feed("stdout", b"%d" % number)
        process.on_exit(0)
        return process, Path("/")

    command = await commands.start("print", Session(), start)
    await command.ended.wait()
    return command


async def _end(_process: Process, _force: bool) -> None:  # noqa: FBT001 - as it is called
    pass
