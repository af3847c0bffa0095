"""Interactive shells, over HTTP and a WebSocket."""

import asyncio
import os
import signal
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.running import Client, alive, connected, pids, running, running_like, until
from tests.contract.screens import Screen, opened, seen, terminal


async def test_a_shell_has_an_id_the_time_it_was_started_and_its_process(client: Client) -> None:
    async with terminal(client) as screen:
        shell = screen.shell
        assert set(shell) == {"id", "created_at", "pid"}
        age = datetime.now(UTC) - datetime.fromisoformat(shell["created_at"])
        assert 0 <= age.total_seconds() < 20
        assert alive(shell["pid"])
        assert await client.json("GET", f"/api/terminals/{shell['id']}") == shell
        assert shell in await client.json("GET", "/api/terminals")


async def test_it_is_what_a_login_gives_a_terminal_with_job_control_a_home_and_its_name(
    client: Client,
) -> None:
    async with terminal(client) as screen:
        shown = await screen.runs("tty; echo $TERM:$HOME:$-; pwd; sleep 100 & kill %1")
        home = str(client.server.home).encode()
        assert b"/dev/pts/" in shown
        assert b"xterm-256color:" + home in shown
        assert home + b"\r\n" in shown
        assert b"no job control" not in shown


async def test_it_begins_where_its_chat_is_and_at_home_if_that_place_is_gone(client: Client) -> None:
    place = client.server.home / "place"
    place.mkdir()
    chat = {"X-Session-Id": "a-chat-with-a-place"}
    await client.json("POST", "/files/cwd", json={"path": str(place)}, headers=chat)
    async with terminal(client, **chat) as screen:
        assert str(place).encode() in await screen.runs("pwd")
    place.rmdir()
    async with terminal(client, **chat) as screen:
        assert str(client.server.home).encode() + b"\r\n" in await screen.runs("pwd")


async def test_keys_and_their_signals_reach_the_program_in_front(client: Client) -> None:
    async with terminal(client) as screen:
        nap = f"sleep 1007.{uuid.uuid4().int}"
        await screen.type(f"echo be''gun; {nap}; echo $?\n")
        await screen.shows(b"begun\r\n")
        await until(lambda: running_like(nap), "it sleeps")
        await screen.type("\x03")
        assert b"=130=" in await screen.runs("echo =$?=")


async def test_bytes_pass_as_they_are(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.type(
            "stty raw -echo; printf re''ady; head -c 256 | od -An -tu1 -v | tr -s ' \\n' ' '; stty sane\n"
        )
        await screen.shows(b"ready")
        await screen.socket.send_bytes(bytes(range(256)))
        assert " ".join(map(str, range(256))).encode() in await screen.shows(b" 254 255")


async def test_a_resize_is_told_to_the_program(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.tell(type="resize", cols=97, rows=31)
        assert b"31 97\r\n" in await screen.runs("stty size")
        await screen.tell(type="resize", cols="98", rows=31.0)
        assert b"31 98\r\n" in await screen.runs("stty size")


async def test_what_is_no_size_changes_nothing_and_what_no_screen_has_is_bounded(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.tell(type="resize", cols=97, rows=31)
        sizes: list[object] = [None, "wide", [], {}, True]
        for size in sizes:
            await screen.tell(type="resize", cols=size, rows=10)
        for text in (
            "",
            "{",
            "[]",
            "null",
            '"resize"',
            '{"type":{}}',
            "[" * 4000,
            '{"cols":1e999,"type":"resize","rows":1}',
        ):
            await screen.socket.send_str(text)
        assert b"31 97\r\n" in await screen.runs("stty size")
        await screen.tell(type="resize", cols=10**12, rows=-5)
        assert b"1 2000\r\n" in await screen.runs("stty size")


async def test_a_ping_and_what_is_not_known_get_no_answer_that_would_be_shown(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.tell(type="ping")
        await screen.tell(type="from-the-future", data=[1])
        await screen.tell(type="auth", token="again")
        # Anything but bytes fails here.
        await screen.runs("true")


async def test_exit_ends_with_a_last_word_and_the_code_1000(client: Client) -> None:
    shell = await opened(client)
    async with seen(client, shell) as screen:
        await screen.runs("true")
        await screen.type("exit 3\n")
        assert await screen.closed() == 1000
        assert screen.shown.endswith(b"\r\n[The shell has ended, exit code 3]\r\n")
    assert shell not in await client.json("GET", "/api/terminals")
    await client.json("GET", f"/api/terminals/{shell['id']}", 404)
    async with seen(client, shell) as screen:
        assert await screen.closed() == 4004


async def test_everything_printed_before_the_exit_is_shown(client: Client) -> None:
    shell = await opened(client)
    async with seen(client, shell) as screen:
        await screen.type("seq 200000; exit\n")
        assert await screen.closed() == 1000
        assert b"\r\n199999\r\n200000\r\n" in screen.shown


async def test_a_shell_that_is_killed_ends_the_same_way(client: Client) -> None:
    shell = await opened(client)
    async with seen(client, shell) as screen:
        await screen.runs("true")
        os.kill(shell["pid"], signal.SIGKILL)
        assert await screen.closed() == 1000
        assert b"exit code 137" in screen.shown


async def test_delete_hangs_up_and_ends_the_whole_tree(client: Client) -> None:
    folder = client.server.home / "tree"
    folder.mkdir()
    async with terminal(client) as screen:
        await screen.runs(f"cd {folder}; trap 'echo hung up > hup' EXIT")
        await screen.runs("(setsid sleep 1008 & echo $! >> pids); nohup sleep 1008 & echo $! >> pids")
        await screen.runs("(trap '' HUP TERM; while :; do sleep 0.1; done) & echo $! >> pids")
        answer = await client.json("DELETE", f"/api/terminals/{screen.shell['id']}")
        assert answer == {"status": "deleted"}
        assert await screen.closed() == 1000
    assert (folder / "hup").read_text() == "hung up\n"
    assert not any(map(alive, [screen.shell["pid"], *pids(folder / "pids")]))


async def test_a_shell_is_ended_when_nobody_came_back_but_not_while_a_job_runs(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_SHELL_LINGER_SECONDS="0.3") as server:
        async with connected(server) as client:
            left, in_front, behind = [await opened(client) for _ in range(3)]
            async with seen(client, left) as screen:
                await screen.runs("true")
            async with seen(client, in_front) as screen:
                await screen.type(f"(touch {tmp_path}/in-front; sleep 1009)\n")
                await until((tmp_path / "in-front").exists, "the job began")
            async with seen(client, behind) as screen:
                await screen.runs("sleep 1009 &")
            await until(lambda: not alive(left["pid"]), "the shell ended")
            kept = [shell["id"] for shell in await client.json("GET", "/api/terminals")]
            assert kept == [in_front["id"], behind["id"]]


async def test_over_the_limit_it_is_429_until_there_is_room(tmp_path: Path) -> None:
    with running(tmp_path, OPEN_TERMINAL_MAX_SESSIONS="2") as server:
        async with connected(server) as client:
            first, second = await opened(client), await opened(client)
            answer = await client.json("POST", "/api/terminals", 429)
            assert answer["detail"] == "There are 2 terminals already, the most there may be"
            # One that was left makes room; one in which a job runs does not.
            async with seen(client, first) as screen:
                await screen.runs("sleep 1010 &")
            async with seen(client, second) as screen:
                await screen.runs("true")
            third: dict[str, Any] = {}

            async def there_is_room() -> bool:
                async with client.request("POST", "/api/terminals") as response:
                    third.update(await response.json() if response.status == 200 else {})
                return bool(third)

            # The server may not have heard yet that it was left.
            await until(there_is_room, "there is room")
            assert not alive(second["pid"])
            await client.json("POST", "/api/terminals", 429)
            await client.json("DELETE", f"/api/terminals/{third['id']}")
            await opened(client)


async def test_a_shell_that_is_not_wanted_is_not_there(tmp_path: Path) -> None:
    with running(tmp_path, OPEN_TERMINAL_ENABLE_TERMINAL="false") as server:
        async with connected(server) as client:
            for method in ("GET", "POST"):
                await client.json(method, "/api/terminals", 404)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                async with seen(client, {"id": "nowhere"}):
                    pass
            document = await client.json("GET", "/openapi.json")
            assert not any("terminals" in path for path in document["paths"])


async def _until_reasons(client: Client, expected: list[str]) -> None:
    """Wait until it is for these reasons that the terminal is awake."""

    async def are_so() -> bool:
        return bool((await client.json("GET", "/activity"))["reasons"] == expected)

    await until(are_so, f"the reasons are {expected}")


async def _come_to_rest(screen: Screen) -> None:
    """Wait for a prompt, after which a shell prints nothing by itself."""
    await screen.type("PS1='at re''st '\n")
    await screen.shows(b"at rest ")


async def _idle_since(client: Client) -> datetime:
    return datetime.fromisoformat((await client.json("GET", "/activity"))["idle_since"])


async def test_a_job_keeps_the_terminal_awake_and_an_idle_prompt_in_an_open_connection_does_not(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, terminal(client) as screen:
            await _come_to_rest(screen)
            reason = f"a job runs in shell {screen.shell['id']}"
            assert (await client.json("GET", "/activity"))["reasons"] == []
            await screen.tell(type="ping")
            since = await _idle_since(client)
            await asyncio.sleep(0.05)
            await screen.tell(type="ping")
            await asyncio.sleep(0.05)
            assert await _idle_since(client) == since
            nap = f"sleep 1011.{uuid.uuid4().int}"
            await screen.type(f"{nap}\n")
            await until(lambda: running_like(nap), "the job runs")
            assert (await client.json("GET", "/activity"))["reasons"] == [reason]
            await screen.type("\x03")
            await screen.runs("true")
            await screen.runs("sleep 1011 &")
            await _until_reasons(client, [reason])
            await screen.runs("kill %1")
            await _until_reasons(client, [])


async def test_what_is_typed_and_what_is_printed_is_activity(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, terminal(client) as screen:
            await _come_to_rest(screen)
            since = await _idle_since(client)
            await asyncio.sleep(0.05)
            await screen.type("x")
            await screen.shows(b"x")
            assert await _idle_since(client) > since


async def test_input_that_no_program_reads_takes_no_memory_and_stops_nobody(client: Client) -> None:
    async with terminal(client) as screen:
        await screen.runs("stty -icanon -echo")
        await screen.type("sleep 1013\n")
        typing = asyncio.create_task(_type_much(screen))
        async with asyncio.timeout(20):
            await client.json("GET", f"/api/terminals/{screen.shell['id']}")
            await client.json("DELETE", f"/api/terminals/{screen.shell['id']}")
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)


async def _type_much(screen: Screen) -> None:
    for _ in range(100):
        await screen.type("x" * 100_000)


async def test_a_long_paste_arrives_whole(client: Client) -> None:
    async with terminal(client) as screen:
        target = client.server.home / "pasted"
        await screen.type(
            f"stty raw -echo; printf re''ady; head -c 3000000 > {target}; stty sane; echo do''ne\n"
        )
        await screen.shows(b"ready")
        await screen.type("0123456789" * 300_000)
        await screen.shows(b"done")
        assert target.read_text() == "0123456789" * 300_000
