"""`POST /execute`: the answer at the end."""

import asyncio
import contextlib
import fcntl
import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import (
    Client,
    Server,
    alive,
    connected,
    names,
    out_of_time,
    pids,
    running,
    running_like,
    until,
)


async def test_a_command_answers_with_its_exit_code_and_both_streams(client: Client) -> None:
    answer = await client.execute("echo out; echo err >&2; exit 3")
    assert answer == {"exit_code": 3, "stdout": "out\n", "stderr": "err\n"}


async def test_commands_start_in_the_users_home_with_a_login_like_environment(client: Client) -> None:
    answer = await client.execute("pwd; echo $HOME; echo $SHELL; cat")
    home = str(client.server.home)
    assert answer["stdout"].splitlines() == [home, home, "/bin/bash"]


async def test_a_command_has_a_session_and_a_group_of_its_own(client: Client) -> None:
    pid, session, group = (await client.execute("ps -o pid=,sid=,pgid= $$"))["stdout"].split()
    assert pid == session == group


async def test_a_shell_ended_by_a_signal_is_not_taken_for_one_out_of_time(client: Client) -> None:
    assert (await client.execute("kill -HUP $$"))["exit_code"] == 129
    assert (await client.execute("kill -KILL $$"))["exit_code"] == 137


async def test_a_signal_the_server_was_started_to_ignore_is_not_ignored_by_commands(tmp_path: Path) -> None:
    with running(tmp_path, wrap=("nohup",)) as server:
        async with connected(server) as client:
            assert (await client.execute("kill -HUP $$", timeout=10))["exit_code"] == 129


@pytest.mark.parametrize(
    "child",
    [
        "{nap} &",
        "setsid {nap} &",
        "(setsid {nap} &);",
        "(setsid {nap} > /dev/null 2>&1 < /dev/null &);",
        "(env -i setsid {nap} > /dev/null 2>&1 < /dev/null &);",
        "sh -c 'trap \"\" TERM; {nap}; {nap}' &",
    ],
    ids=[
        "child",
        "own session",
        "orphan in its own session",
        "daemon",
        "daemon, no environment",
        "deaf to SIGTERM",
    ],
)
async def test_a_timeout_leaves_no_process_and_keeps_what_was_printed(client: Client, child: str) -> None:
    async def attempt(limit: float) -> dict[str, Any] | None:
        nap = f"sleep 1000.{uuid.uuid4().int}"
        command = f"echo before; {child.format(nap=nap)} {nap}; echo after"
        request = asyncio.create_task(client.execute(command, timeout=limit))
        await until(lambda: len(running_like(nap)) > 1 or request.done(), "the child ran")
        has_begun = not request.done()
        answer = await request
        assert running_like(nap) == []
        return answer if has_begun else None

    assert await out_of_time(attempt) == {"exit_code": -1, "stdout": "before\n", "stderr": ""}


async def test_a_timeout_of_zero_ends_at_once(client: Client) -> None:
    begun = time.monotonic()
    assert (await client.execute("sleep 1000", timeout=0))["exit_code"] == -1
    assert time.monotonic() - begun < 25


async def test_no_timeout_is_a_timeout_too(client: Client) -> None:
    assert (await client.execute("sleep 0.1; echo done", timeout=None))["stdout"] == "done\n"


@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity", "-Infinity", '"soon"', "[]"])
async def test_a_timeout_that_is_none_is_refused_by_name(client: Client, value: str) -> None:
    body = f'{{"command": "true", "timeout": {value}}}'
    answer = await client.json(
        "POST", "/execute", 422, data=body, headers={"Content-Type": "application/json"}
    )
    assert answer["detail"][0]["loc"] == ["body", "timeout"]


async def test_a_child_left_in_the_background_is_not_waited_for_and_lives_on(
    client: Client, tmp_path: Path
) -> None:
    begun = time.monotonic()
    answer = await client.execute(
        f"cd {tmp_path}; (while sleep 0.05; do echo still here; echo tick >> ticks; done) & echo $! > pid; echo hi"
    )
    assert time.monotonic() - begun < 25
    assert answer == {"exit_code": 0, "stdout": "hi\n", "stderr": ""}
    # It prints on, to nobody: neither a closed pipe nor a full one ends it.
    ticks = tmp_path / "ticks"
    await until(lambda: ticks.exists() and ticks.read_text().count("tick") > 4, "the child went on")
    await client.execute(f"kill $(cat {tmp_path}/pid)")


async def test_output_that_is_not_utf8_is_shown_and_not_an_error(client: Client) -> None:
    answer = await client.execute(r"printf 'a\xffb\xe2\x82'; printf '\xf0\x9f\x98\x80 \"\\ \x01' >&2")
    assert answer["stdout"] == "a\ufffdb\ufffd"
    assert answer["stderr"] == '\U0001f600 "\\ \x01'


@pytest.mark.parametrize(
    "command",
    [r"a\u0000b", r"\ud800", r"echo \udc80"],
    ids=["NUL", "lone high surrogate", "lone low surrogate"],
)
@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_command_that_cannot_be_one_is_refused_and_never_a_500(
    client: Client, command: str, stream: str
) -> None:
    answer = await client.json(
        "POST",
        f"/execute?stream={stream}",
        422,
        data=f'{{"command": "{command}"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer["detail"][0]["loc"] == ["body", "command"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "{}", '{"command": 1}', "\xff", "[" * 50_000])
async def test_a_body_that_is_no_command_is_refused_and_never_a_500(client: Client, body: str) -> None:
    data = body.encode("latin-1")
    async with client.request(
        "POST", "/execute", data=data, headers={"Content-Type": "application/json"}
    ) as response:
        assert 400 <= response.status < 500
        assert "detail" in await response.json()


async def test_a_command_longer_than_an_argument_may_be_works_like_any_other(client: Client) -> None:
    answer = await client.execute(f"cat; echo {'x' * 140_000} | wc -c; echo $0; exit 4")
    assert answer == {"exit_code": 4, "stdout": "140001\n/bin/bash\n", "stderr": ""}


async def test_a_command_larger_than_the_limit_is_refused(client: Client) -> None:
    data = io.BytesIO(json.dumps({"command": "x" * 17_000_000}).encode())
    async with client.request("POST", "/execute", data=data) as response:
        assert response.status == 413
        assert await response.json() == {"detail": "The body is larger than this call takes"}


async def test_a_home_that_was_removed_does_not_lock_its_user_out(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            await client.execute("rm -r $HOME")
            assert (await client.execute("pwd"))["stdout"] == "/\n"


async def test_150_megabytes_of_output_arrive_whole_in_bounded_memory(tmp_path: Path) -> None:
    size = 150_000_000
    with running(tmp_path) as server:
        async with (
            connected(server) as client,
            client.request(
                "POST",
                "/execute",
                json={"command": f"yes 0123456789abcde | head -c {size}", "timeout": 60},
            ) as response,
        ):
            answer = json.loads(await response.read())
        expected = "0123456789abcde\n" * (size // 16)
        assert answer["stdout"] == expected
        assert answer["stderr"] == ""
        assert server.memory_peak() < 100e6
        assert not (server.home / ".cache" / "terminal-server").exists()


async def test_who_reads_late_gets_all_of_it_and_slows_no_command_down(tmp_path: Path) -> None:
    size = 150_000_000
    with running(tmp_path) as server:
        async with connected(server) as client:
            answer = await client.execute_unread(
                f"yes 0123456789abcde | head -c {size}; echo said >&2; exit 3"
            )
            assert answer["stdout"] == "0123456789abcde\n" * (size // 16)
            assert (answer["stderr"], answer["exit_code"]) == ("said\n", 3)
            assert server.memory_peak() < 100e6
            assert not list((server.home / ".cache" / "terminal-server").iterdir())
            await until(lambda: not _unnamed(server), "the disk was given back")


def _unnamed(server: Server) -> list[str]:
    """The files a server has open that have no name."""
    found = []
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            link = path.readlink()
            if link.is_relative_to(server.home) and link.name.endswith("(deleted)"):
                found.append(link.name)
    return found


async def test_much_on_both_streams_arrives_whole(client: Client) -> None:
    answer = await client.execute(
        "seq 300000 >&2; seq 400000; seq 300001 500000 >&2; printf '\\xe2\\x82' >&2"
    )
    assert answer["stdout"] == "".join(f"{n}\n" for n in range(1, 400_001))
    assert answer["stderr"] == "".join(f"{n}\n" for n in range(1, 500_001)) + "\ufffd"


async def test_what_does_not_fit_memory_is_sent_while_the_command_runs(
    client: Client, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    command = f"seq 100000; until [ -e {gate} ]; do sleep 0.02; done; echo last; exit 3"
    async with client.request("POST", "/execute", json={"command": command, "timeout": 30}) as response:
        begun = await response.content.readexactly(100_000)
        gate.touch()
        answer = json.loads(begun + await response.read())
    expected = "".join(f"{n}\n" for n in range(1, 100_001)) + "last\n"
    assert answer == {"stdout": expected, "stderr": "", "exit_code": 3}


async def test_a_timeout_holds_for_an_answer_that_has_begun(client: Client) -> None:
    async def attempt(limit: float) -> bool | None:
        answer = await client.execute("seq 100000; sleep 1000", timeout=limit)
        assert answer["exit_code"] == -1
        return answer["stdout"].endswith("\n99999\n100000\n") or None

    assert await out_of_time(attempt)


async def test_a_client_that_leaves_amid_an_answer_ends_its_command(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            command = f"echo $$ > {tmp_path}/pids; exec yes"
            async with client.request(
                "POST", "/execute", json={"command": command, "timeout": None}
            ) as response:
                await response.content.readexactly(1_000_000)
                await until(lambda: _unnamed(server), "output waited on disk")
                response.close()
            await until(lambda: not alive(pids(tmp_path / "pids")[0]), "the command was ended")
            await until(lambda: not _unnamed(server), "the disk was given back")


async def test_output_over_the_limit_is_counted_and_said_to_be_missing(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_OUTPUT_LIMIT_BYTES="1000000") as server:
        async with connected(server) as client:
            answer = await client.execute("head -c 3000000 /dev/zero | tr '\\0' x; echo last >&2; exit 5")
    assert answer["exit_code"] == 5
    assert answer["stdout"] == "x" * 1_000_000
    assert "2000005 bytes of output are missing: more than 1000000 bytes" in answer["stderr"]


async def test_a_disk_that_cannot_be_written_loses_no_output_silently(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_DATA_DIR="/proc/nowhere") as server:
        async with connected(server) as client:
            answer = await client.execute_unread("head -c 30000000 /dev/zero | tr '\\0' x")
            # Who reads at once needs no disk.
            assert len((await client.execute("yes | head -c 3000000"))["stdout"]) == 3_000_000
    assert answer["exit_code"] == 0
    kept = len(answer["stdout"])
    assert kept >= 128 * 1024
    assert f"{30_000_000 - kept} bytes of stdout are lost: No such file or directory" in answer["stderr"]


async def test_a_disk_that_fills_up_loses_no_output_silently(tmp_path: Path) -> None:
    # A limit on the size of files fails writes in the middle, as a full disk does.
    with running(tmp_path, wrap=("bash", "-c", 'ulimit -f 1000; exec "$@"', "bash")) as server:
        async with connected(server) as client:
            answer = await client.execute_unread("yes 0123456789abcde | head -c 30000000")
    kept = len(answer["stdout"])
    assert 1_000_000 <= kept < 30_000_000
    assert answer["stdout"] == ("0123456789abcde\n" * 1_875_000)[:kept]
    assert f"{30_000_000 - kept} bytes of stdout are lost: File too large" in answer["stderr"]


async def test_who_has_the_answer_finds_the_request_over(client: Client) -> None:
    for _ in range(100):
        await client.execute("true")
        assert "POST /execute" not in (await client.json("GET", "/activity"))["reasons"]


async def test_200_commands_at_once_do_not_block_health(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    command = f"flock --shared {gate} true; echo $$"
    with _locked(gate):
        commands = [asyncio.create_task(client.execute(command, timeout=None)) for _ in range(200)]
        await _health(client, times=50)
        assert not any(task.done() for task in commands)
    while not all(task.done() for task in commands):
        await _health(client, times=1)
    answers = [task.result() for task in commands]
    assert {answer["exit_code"] for answer in answers} == {0}
    assert len({answer["stdout"] for answer in answers}) == 200


async def _health(client: Client, times: int) -> None:
    for _ in range(times):
        async with asyncio.timeout(15):
            assert await client.json("GET", "/health") == {"status": "ok"}
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def _locked(gate: Path) -> Iterator[None]:
    with gate.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_the_threads_that_end_a_fork_bomb_are_there_before_it(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert len(names(Path(f"/proc/{server.process.pid}/task"))) > 8


async def test_a_client_that_goes_away_ends_its_command(client: Client, tmp_path: Path) -> None:
    request = asyncio.create_task(
        client.execute(
            f"echo $$ > {tmp_path}/pids; setsid sleep 1002 & echo $! >> {tmp_path}/pids; wait", timeout=None
        )
    )
    await until(lambda: len(pids(tmp_path / "pids")) == 2, "the command ran")
    request.cancel()
    await until(lambda: not any(map(alive, pids(tmp_path / "pids"))), "the command was ended")


async def test_no_zombie_and_no_descriptor_is_left_by_commands(client: Client) -> None:
    def open_files() -> int:
        return len(list(Path(f"/proc/{client.server.process.pid}/fd").iterdir()))

    await client.execute("true")
    before = open_files()
    async with connected(client.server) as others:
        await asyncio.gather(*(others.execute("(setsid true &); true") for _ in range(20)))
    await until(lambda: open_files() <= before, "all descriptors were closed")
    server = client.server.process.pid

    async def has_no_zombies() -> bool:
        zombies = await client.execute(f"ps --ppid {server} -o stat= | grep -c Z")
        return bool(zombies["stdout"].strip() == "0")

    await until(has_no_zombies, "all were collected")
