"""Interactive shells, over HTTP and a WebSocket."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.running import (
    KEY,
    Client,
    alive,
    connected,
    pids,
    running,
    running_like,
    until,
)
from tests.contract.screens import Screen, opened, seen, terminal

_OUTPUT, _INPUT = "/api/terminals/user/output", "/api/terminals/user/input"
_OTHERS = {"X-Session-Id": "another-chat"}


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
        await screen.type("echo be''gun; sleep 1007; echo $?\n")
        await screen.shows(b"begun\r\n")
        await until(lambda: running_like("sleep 1007"), "it sleeps")
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


@pytest.mark.parametrize(
    "first",
    ['{"type":"auth","token":"wrong"}', '{"type":"auth"}', '{"type":"auth","token":7}', "{", "[]", "[" * 9000,
     '{"type":"auth","token":"\\ud800"}', '{"type":"resize","cols":1,"rows":1}', b"ls\n"],
)  # fmt: skip
async def test_without_a_valid_key_in_the_first_message_the_code_is_4001(
    client: Client, first: str | bytes
) -> None:
    shell = await opened(client)
    async with seen(client, shell, key=None) as screen:
        await (screen.socket.send_bytes(first) if isinstance(first, bytes) else screen.socket.send_str(first))
        assert await screen.closed() == 4001
        assert screen.shown == b""
    await client.json("DELETE", f"/api/terminals/{shell['id']}")


async def test_a_stranger_cannot_tell_whether_a_shell_is_there(client: Client) -> None:
    async with seen(client, {"id": "nowhere"}, key="wrong") as screen:
        assert await screen.closed() == 4001
    async with seen(client, {"id": "nowhere"}) as screen:
        assert await screen.closed() == 4004


async def test_who_says_nothing_is_sent_away_after_ten_seconds(client: Client) -> None:
    begun = time.monotonic()
    async with seen(client, {"id": "nowhere"}, key=None) as screen:
        assert await screen.closed() == 4001
    assert time.monotonic() - begun >= 9.9


async def test_a_stranger_cannot_send_much(client: Client) -> None:
    async with seen(client, {"id": "nowhere"}, key=None) as screen:
        await screen.socket.send_str("x" * 20_000)
        assert await screen.closed() == 1009


async def test_a_header_with_the_key_is_as_good_as_the_message(client: Client) -> None:
    shell = await opened(client)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with seen(client, shell, key=None, headers=headers) as screen:
        await screen.runs("true")
    async with seen(client, shell, headers=headers) as screen:
        await screen.runs("true")
    await client.json("DELETE", f"/api/terminals/{shell['id']}")


async def test_a_shell_of_another_chat_or_user_is_not_there(client: Client) -> None:
    mine = {"X-Session-Id": "mine", "X-User-Id": "me"}
    async with terminal(client, **mine) as screen:
        path = f"/api/terminals/{screen.shell['id']}"
        for others in (_OTHERS, {**mine, "X-User-Id": "you"}, {"X-User-Id": "me"}, {}):
            assert screen.shell not in await client.json("GET", "/api/terminals", headers=others)
            await client.json("GET", path, 404, headers=others)
            await client.json("DELETE", path, 404, headers=others)
        for others in (_OTHERS, {"X-User-Id": "you"}):
            async with seen(client, screen.shell, headers=others) as other:
                assert await other.closed() == 4004
        async with seen(client, screen.shell, chat_id="another-chat") as other:
            assert await other.closed() == 4004
        await screen.runs("true")
        async with seen(client, screen.shell, headers={"X-User-Id": "me"}, chat_id="mine") as other:
            await other.runs("true")


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


async def test_a_program_that_has_the_whole_screen_draws_it_anew_for_the_next_connection(
    client: Client,
) -> None:
    async with terminal(client) as screen:
        await screen.tell(type="resize", cols=70, rows=20)
        script = client.server.home / "full-screen"
        script.write_text(
            "trap 'echo size $(stty size)' WINCH; printf '\\e[?1049h'; while :; do sleep 0.05; done"
        )
        await screen.type(f"bash {script}\n")
        await screen.shows(b"\x1b[?1049h")
        await screen.socket.close()
        async with seen(client, screen.shell) as again:
            shown = await again.shows(b"size 20 70\r\n")
            assert b"\x1b[?1049h" in shown
            assert b"size 20 69\r\n" in shown


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
                await screen.type(f"touch {tmp_path}/in-front; sleep 1009\n")
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
            third = await opened(client)
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


async def test_the_user_s_terminal_is_plain_text_for_a_model(client: Client) -> None:
    chat = {"X-Session-Id": "a-model"}
    await client.json("GET", _OUTPUT, 404, headers=chat)
    async with terminal(client, **chat) as screen:
        await screen.runs(r"PS1='$ '; printf '\e[1;31mred\e[0m \xe2\x82\xac 10%%\r50%%\n'; clear")
        output = (await client.json("GET", _OUTPUT, headers=chat))["output"]
        assert "\n50% € 10%\n" in output
        assert "\x1b" not in output
        assert "\r" not in output


async def test_a_model_types_into_the_user_s_terminal_and_reads_what_came_of_it(client: Client) -> None:
    chat = {"X-Session-Id": "a-typing-model"}
    body = {"input": "echo by-the-$((1+0))-model €\n"}
    await client.json("POST", _INPUT, 404, json=body, headers=chat)
    async with terminal(client, **chat) as screen:
        await screen.runs("true")
        answer = await client.json("POST", _INPUT, json=body, headers=chat)
        assert answer == {"status": "ok"}
        await screen.shows("by-the-1-model €\r\n".encode())
        output = (await client.json("GET", _OUTPUT, headers=chat))["output"]
        assert "\nby-the-1-model €\n" in output
        for wrong in ({}, {"input": None}, {"input": "x" * 70_000}, {"input": 7}):
            await client.json("POST", _INPUT, 422, json=wrong, headers=chat)
        async with client.request("POST", _INPUT, data=b'{"input":"\\ud800"}', headers=chat) as refused:
            assert refused.status == 422


async def test_the_user_s_terminal_is_the_one_connected_last_and_else_the_one_left_last(
    client: Client,
) -> None:
    chat = {"X-Session-Id": "many-terminals"}
    async with terminal(client, **chat) as first:
        await first.runs("echo number-one")
        async with terminal(client, **chat) as second:
            await second.runs("echo number-two")
            await _until_user_s_terminal_shows(client, "number-two", chat)
            await second.socket.close()
            await _until_user_s_terminal_shows(client, "number-one", chat)
            await first.socket.close()
            await _until_user_s_terminal_shows(client, "number-one", chat)


async def _until_reasons(client: Client, expected: list[str]) -> None:
    """Wait until it is for these reasons that the terminal is awake."""

    async def are_so() -> bool:
        return bool((await client.json("GET", "/activity"))["reasons"] == expected)

    await until(are_so, f"the reasons are {expected}")


async def _until_user_s_terminal_shows(client: Client, text: str, chat: dict[str, str]) -> None:
    async def is_shown() -> bool:
        return text in (await client.json("GET", _OUTPUT, headers=chat))["output"]

    await until(is_shown, f"the user's terminal shows {text}")


async def test_a_job_keeps_the_terminal_awake_and_an_idle_prompt_in_an_open_connection_does_not(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.runs("true")
            reason = f"a job runs in shell {screen.shell['id']}"
            assert (await client.json("GET", "/activity"))["reasons"] == []
            await screen.tell(type="ping")
            first = (await client.json("GET", "/activity"))["idle_seconds"]
            await asyncio.sleep(0.05)
            await screen.tell(type="ping")
            assert (await client.json("GET", "/activity"))["idle_seconds"] > first
            await screen.type("sleep 1011\n")
            await until(lambda: running_like("sleep 1011"), "the job runs")
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
            await screen.runs("true")

            async def idle() -> bool:
                return bool((await client.json("GET", "/activity"))["idle_seconds"] > 1)

            await until(idle, "nothing has happened for a second")
            await screen.type("x")
            await screen.shows(b"x")
            assert (await client.json("GET", "/activity"))["idle_seconds"] < 0.9


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
        async with asyncio.timeout(1):
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
    with running(tmp_path) as server:
        async with connected(server) as client, seen(client, await opened(client)) as screen:
            await _print_until_it_stands_still(client, screen, tmp_path / "counted")
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert server.process.returncode == 0
            # It is given three seconds to read the end; a stop may take ten.
            assert time.monotonic() - begun < 9


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
        assert _children(server.process.pid) == []


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


async def test_neither_the_key_nor_what_is_typed_is_logged_even_on_the_lowest_level(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_LOG_LEVEL="debug") as server:
        async with connected(server) as client, terminal(client) as screen:
            await screen.runs("echo a-secret-of-mine")
            url = f"{server.url}/api/terminals/{screen.shell['id']}?token=in-the-query"
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
                await connection.send_json({"type": "auth", "token": "a-wrong-key"})
                await connection.receive()
        logged = server.logged()
    for secret in (KEY, "a-secret-of-mine", "in-the-query", "a-wrong-key"):
        assert secret not in logged


@pytest.mark.parametrize(
    "path", ["/unknown", "/execute", "/proxy/8000/", "/api/terminals", "/api/terminals/a/b", "/mcp"]
)
async def test_a_websocket_without_a_key_reaches_no_handler(stranger: Client, path: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await stranger.session.ws_connect(stranger.server.url + path)
    assert refused.value.status == 403


async def test_a_broken_handshake_is_refused_and_logged_by_no_traceback(client: Client) -> None:
    for headers in (
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "7"},
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "x",
            "Sec-WebSocket-Version": "13",
        },
    ):
        async with client.request("GET", "/api/terminals/nowhere", headers=headers) as response:
            assert 400 <= response.status < 500
