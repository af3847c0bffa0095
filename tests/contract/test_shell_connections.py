"""Connections to interactive shells: they come and go, and some do not read."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, alive, changed, connected, pids, running, until
from tests.contract.screens import Screen, opened, seen, terminal


async def test_a_shell_outlives_its_connection_and_shows_what_it_printed_to_the_next_one(
    client: Client,
) -> None:
    shell = await opened(client)
    async with seen(client, shell) as screen:
        await screen.runs("cd /tmp; x=kept")
        await screen.type("read -p go' 'on; echo la''ter\n")
        await screen.shows(b"go on")
    await client.json("GET", f"/api/terminals/{shell['id']}")
    async with seen(client, shell) as screen:
        await screen.shows(b"x=kept", b"go on")
        await screen.type("\n")
        await screen.shows(b"later\r\n")
        assert b"/tmp:kept" in await screen.runs("echo $PWD:$x")
    await client.json("DELETE", f"/api/terminals/{shell['id']}")


async def test_what_is_printed_while_nobody_is_connected_is_shown_later(client: Client) -> None:
    async with terminal(client) as screen:
        done = client.server.home / "printed"
        await screen.type(f"sleep 0.2; echo un''seen; touch {done}\n")
        await screen.shows(b"touch")
        await screen.socket.close()
        await until(done.exists, "the command ended")
        async with seen(client, screen.shell) as again:
            await again.shows(b"unseen\r\n")


# It is given another size for a moment: whether a script sees that depends on the moment, so it is made long or short.
@pytest.mark.parametrize(("seconds", "size"), [(60, b"20 69"), (0.1, b"20 70")])
async def test_a_program_that_has_the_whole_screen_draws_it_anew_for_the_next_connection(
    tmp_path: Path, seconds: float, size: bytes
) -> None:
    program = changed(f"from terminal_server.shells import shell; shell._REDRAW_SECONDS = {seconds}")
    with running(tmp_path, program=program) as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.tell(type="resize", cols=70, rows=20)
            script = server.home / "full-screen"
            script.write_text(
                "trap 'echo size $(stty size)' WINCH; printf '\\e[?1049h'; while :; do sleep 0.05; done"
            )
            await screen.type(f"bash {script}\n")
            assert b"size" not in await screen.shows(b"\x1b[?1049h")
            await screen.socket.close()
            async with seen(client, screen.shell) as again:
                await again.tell(type="resize", cols=70, rows=20)
                assert b"\x1b[?1049h" in await again.shows(b"size %b\r\n" % size)


async def test_a_line_is_not_drawn_anew_for_the_next_connection(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.runs("trap 'echo si''ze' WINCH")
        await screen.socket.close()
        async with seen(client, screen.shell) as again:
            await again.shows(b"trap")
            assert b"size" not in await again.runs("sleep 0.3")


async def test_a_connection_broken_off_without_a_word_leaves_the_shell_as_well(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.runs("x=kept")
        connection = screen.socket._response.connection  # noqa: SLF001 - to cut it as a cable is cut
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        async with seen(client, screen.shell) as again:
            await again.shows(b"x=kept")
            assert b"=kept=" in await again.runs("echo =$x=")


async def test_a_new_connection_takes_over_and_the_old_one_is_told_so(client: Client) -> None:
    async with terminal(client) as first:
        await first.runs("x=kept")
        async with seen(client, first.shell) as second:
            await second.shows(b"x=kept")
            assert await first.closed() == 4009
            assert b"=kept=" in await second.runs("echo =$x=")


async def test_a_caller_with_a_name_gets_the_shell_it_has_lost_back(client: Client) -> None:
    named = {"X-User-Id": "the-user", "X-Session-Id": "the-chat"}
    async with terminal(client, **named) as screen:
        await screen.runs("x=kept")
        # While it is connected, another page gets another shell.
        other = await opened(client, **named)
        assert other["id"] != screen.shell["id"]
        await screen.socket.close()
        path = f"/api/terminals/{screen.shell['id']}"
        again: dict[str, Any] = {}

        async def is_back() -> bool:
            again.update(await opened(client, **named))
            if again["id"] == screen.shell["id"]:
                return True
            # The close has not been heard yet.
            await client.json("DELETE", f"/api/terminals/{again['id']}", headers=named)
            return False

        await until(is_back, "the shell is given back")
        assert again == screen.shell
        # It is not given to two.
        third = await opened(client, **named)
        assert third["id"] not in {again["id"], other["id"]}
        async with seen(client, again) as back:
            assert b"=kept=" in await back.runs("echo =$x=")
        await client.json("GET", path, headers=named)
        for shell in (other, third):
            await client.json("DELETE", f"/api/terminals/{shell['id']}", headers=named)


async def test_callers_without_a_name_each_get_a_new_shell(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.runs("true")
        await screen.socket.close()
        async with terminal(client) as other:
            await other.runs("true")
            assert other.shell["id"] != screen.shell["id"]


async def test_told_to_stop_it_tells_the_connections_and_hangs_up(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, seen(client, await opened(client)) as screen:
            await screen.runs(f"cd {tmp_path}; trap 'echo hung up > hup' EXIT; sleep 1012 & echo $! > pids")
            server.process.send_signal(signal.SIGTERM)
            assert await screen.closed() == 1012
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert server.process.returncode == 0
            assert (tmp_path / "hup").read_text() == "hung up\n"
            assert not any(map(alive, [screen.shell["pid"], *pids(tmp_path / "pids")]))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


async def _print_until_it_stands_still(client: Client, screen: Screen, counted: Path) -> None:
    """Have a shell print without end, until all that may wait does."""
    await screen.type(f"while :; do seq 100000; echo >> {counted}; done\n")
    size, still = 0, 0
    while still < 5:
        await asyncio.sleep(0.1)
        now = _size(counted)
        still, size = (still + 1 if now == size > 0 else 0), now
        async with asyncio.timeout(10):
            await client.json("GET", "/health")


async def test_a_client_that_does_not_read_holds_up_its_program_and_nothing_else(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.runs("true")
            before = server.memory_peak()
            counted = tmp_path / "counted"
            await _print_until_it_stands_still(client, screen, counted)
            assert server.memory_peak() - before < 10 * 2**20
            # It goes on as soon as somebody reads.
            await screen.shows(b"\r\n100000\r\n1\r\n")


async def test_a_client_that_does_not_read_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_STOP_SECONDS="60") as server:
        async with connected(server) as client, seen(client, await opened(client)) as screen:
            await _print_until_it_stands_still(client, screen, tmp_path / "counted")
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert server.process.returncode == 0
            # It is given three seconds to read the end; a stop may take sixty.
            assert time.monotonic() - begun < 15


async def test_two_hundred_shells_opened_and_closed_leave_no_process_and_no_descriptor(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.runs("true")
        before = _open_files(server.process.pid)
        async with connected(server) as client:
            for _ in range(25):
                await asyncio.gather(*(_open_and_close(client, way=number % 3) for number in range(8)))
            assert await client.json("GET", "/api/terminals") == []
        await until(lambda: _open_files(server.process.pid) <= before, "all descriptors were closed")
        await until(lambda: not _children(server.process.pid), "all processes were collected")


async def _open_and_close(client: Client, way: int) -> None:
    if way == 0:
        async with terminal(client) as screen:
            await screen.type("true\n")
        return
    shell = await opened(client)
    if way == 1:
        async with seen(client, shell) as screen:
            await screen.type("exit\n")
            assert await screen.closed() == 1000
    else:
        await client.json("DELETE", f"/api/terminals/{shell['id']}")


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _children(parent: int) -> list[str]:
    """The children of a process, zombies included."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == parent:
            found.append(text)
    return found
