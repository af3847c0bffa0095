"""What commands may use: memory, disk, and room in the list."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, changed, connected, names, running, until
from tests.contract.test_commands import read, run, status, text

LOGS = ".cache/terminal-server/commands"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "home" / LOGS


def logs(place: Path) -> list[str]:
    return [name for name in names(place) if not name.startswith(".")] if place.exists() else []


async def test_gigabytes_of_output_take_little_memory_and_can_be_read_to_the_last_byte(
    tmp_path: Path,
) -> None:
    size = 100_000_000
    with running(tmp_path) as server:
        async with connected(server) as client:
            answer = await run(client, f"yes 0123456789abcde | head -c {size}", "?wait=60")
            assert (answer["status"], answer["truncated"]) == ("done", True)
            head, notice, tail = _divided(answer)
            assert head == "0123456789abcde\n" * (len(head) // 16)
            assert tail == "0123456789abcde\n" * (len(tail) // 16)
            assert 32_000 < len(head) + len(tail) <= 64 * 1024
            left_out = size - len(head) - len(tail)
            assert (
                f"{left_out} bytes of output are left out here; all of it is in {answer['log_path']}"
                in notice
            )
            log = await run(client, f"wc -c < {answer['log_path']}; sha256sum < {answer['log_path']}")
            expected = await run(client, f"yes 0123456789abcde | head -c {size} | sha256sum")
            assert text(log) == f"{size}\n{text(expected)}"
            offset = answer["next_offset"] // 2
            page = await status(client, answer, f"?offset={offset}")
            assert page["truncated"]
            assert offset < page["next_offset"] < answer["next_offset"]
            assert len(text(page)) <= 64 * 1024
        assert server.memory_peak() < 110e6


async def test_the_log_of_much_output_is_whole_when_the_command_has_ended(tmp_path: Path) -> None:
    slowly = changed(
        "import time; from terminal_server.commands import logfile; append = logfile._append; "
        "logfile._append = lambda *given: (time.sleep(0.5), append(*given))[1]"
    )
    with running(tmp_path, program=slowly) as server:
        async with connected(server) as client:
            answer = await run(client, "yes 0123456 | head -c 200000")
            assert answer["truncated"]
            assert read(answer["log_path"]) == "0123456\n" * 25_000


def _divided(answer: dict[str, Any]) -> tuple[str, str, str]:
    kinds = [entry["type"] for entry in answer["output"]]
    middle = kinds.index("notice")
    texts = [entry["data"] for entry in answer["output"]]
    return "".join(texts[:middle]), texts[middle], "".join(texts[middle + 1 :])


async def test_a_client_of_both_contracts_is_told_what_is_left_out_of_each_stream(client: Client) -> None:
    answer = await run(client, "echo first; head -c 200000 /dev/zero | tr '\\0' x; echo; echo last", query="")
    shown, _, rest = answer["stdout"].partition("\n[terminal-server: ")
    missing, _, tail = rest.partition(f" bytes of stdout are left out here; see {answer['log_path']}]\n")
    assert shown.startswith("first\n")
    assert tail.endswith("x\nlast\n")
    assert len(shown) + len(tail) + int(missing) == 200_012
    assert answer["stderr"] == ""


async def test_a_log_has_a_limit_and_what_is_over_it_is_said_to_be_lost(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_OUTPUT_LIMIT_BYTES="500000") as server:
        async with connected(server) as client:
            answer = await run(client, "yes 0123456 | head -c 3000000; echo last")
            assert text(answer).endswith("last\n")
            assert "not all of it is in" in text(answer)
            assert "a log has at most 500000 bytes" in text(answer)
            log = read(answer["log_path"])
            assert log.startswith("0123456\n" * 60_000)
            assert log.endswith("what came then is not in this log: a log has at most 500000 bytes]\n")
            lost = [entry for entry in await _pages(client, answer) if entry["type"] == "notice"]
            assert len(lost) == 1
            assert "bytes of output are lost: a log has at most 500000 bytes" in lost[0]["data"]


async def _pages(client: Client, command: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    offset = 0
    while (page := await status(client, command, f"?offset={offset}"))["output"]:
        found += page["output"]
        offset = page["next_offset"]
    return found


async def test_all_logs_have_a_limit_and_the_oldest_make_room(tmp_path: Path, place: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_LOG_TOTAL_BYTES="1000000") as server:
        async with connected(server) as client:
            commands = [await run(client, f"yes {n} | head -c 400000") for n in range(4)]

            async def left() -> list[str]:
                return [one["id"] for one in await client.json("GET", "/execute")]

            async def oldest_are_gone() -> bool:
                return len(await left()) == 2 and len(logs(place)) == 2

            await until(oldest_are_gone, "the oldest were removed")
            assert await left() == [one["id"] for one in commands[2:]]
            assert sorted(logs(place)) == sorted(f"{one['id']}.log" for one in commands[2:])
            # One that is larger than all may be keeps what there is room for.
            answer = await run(client, "yes | head -c 2000000; echo last")
            assert text(answer).endswith("last\n")
            log = Path(answer["log_path"])
            await until(lambda: b"all logs have at most 1000000 bytes" in log.read_bytes(), "the log says so")
            # In the middle of the answer there is what the log has not got.
            whole = await client.json("GET", f"/execute/{answer['id']}/status?offset=0")
            while "all logs have at most 1000000 bytes" not in text(whole):
                assert whole["output"], "it was not said"
                offset = whole["next_offset"]
                whole = await client.json("GET", f"/execute/{answer['id']}/status?offset={offset}")


async def test_as_many_commands_are_remembered_as_may_be_and_no_more_run(tmp_path: Path, place: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_MAX_COMMANDS="3") as server:
        async with connected(server) as client:
            done = [(await run(client, f"echo {n}"))["id"] for n in range(5)]
            assert [one["id"] for one in await client.json("GET", "/execute")] == done[2:]
            await until(lambda: logs(place) == sorted(f"{one}.log" for one in done[2:]), "logs went as well")
            await client.json("GET", f"/execute/{done[0]}/status", 404)
            for _ in range(3):
                await run(client, "sleep 1000", "?wait=0")
            refused = await client.json("POST", "/execute?wait=0", 429, json={"command": "true"})
            assert refused == {"detail": "3 commands run already"}
            assert (await client.execute("echo by contract 1"))["exit_code"] == 0


@pytest.fixture
def old_logs(tmp_path: Path) -> Path:
    """A folder with what an earlier run left: a log that is too old, one that is not, and an index."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("000000000001.log", "000000000002.log", ".000000000003.index", "notes.txt"):
        (folder / name).write_text("old")
    os.utime(folder / "000000000002.log", (1_000_000_000, 1_000_000_000))
    # It is not too old before the server has started and something else was looked at.
    soon = time.time() + 4
    os.utime(folder / "000000000001.log", (soon, soon))
    return folder


async def test_logs_are_kept_for_a_time_and_those_of_an_earlier_run_too(
    tmp_path: Path, old_logs: Path
) -> None:
    with running(
        tmp_path, TERMINAL_SERVER_LOG_RETENTION_SECONDS="6", TERMINAL_SERVER_LOG_DIR=str(old_logs)
    ) as server:
        async with connected(server) as client:
            await until(lambda: names(old_logs)[-2:] == ["000000000001.log", "notes.txt"], "one is too old")
            answer = await run(client, "echo new")
            await until(lambda: f"{answer['id']}.log" in names(old_logs), "it is written")
            await until(lambda: names(old_logs) == ["notes.txt"], "both are removed in time")
            await client.json("GET", f"/execute/{answer['id']}/status", 404)


async def test_a_disk_that_cannot_be_written_stops_no_command_and_is_told(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_LOG_DIR="/proc/nowhere") as server:
        async with connected(server) as client:
            answer = await run(client, "yes 0123456 | head -c 3000000; echo last")
            assert (answer["exit_code"], answer["log_path"]) == (0, None)
            assert text(answer).endswith("last\n")
            lost = "".join(one["data"] for one in await _pages(client, answer) if one["type"] == "notice")
            assert "bytes of output are lost: No such file or directory" in lost


async def test_a_disk_that_fills_up_stops_no_command_and_is_told(tmp_path: Path) -> None:
    # A limit on the size of files fails writes in the middle, as a full disk does.
    with running(tmp_path, wrap=("bash", "-c", 'ulimit -f 1000; exec "$@"', "bash")) as server:
        async with connected(server) as client:
            answer = await run(client, "yes 0123456 | head -c 3000000; echo last")
            assert text(answer).endswith("last\n")
            pages = await _pages(client, answer)
            lost = [one["data"] for one in pages if one["type"] == "notice"]
            kept = sum(len(one["data"]) for one in pages if one["type"] == "stdout")
            assert len(lost) == 1
            assert f"{3_000_005 - kept} bytes of output are lost: File too large" in lost[0]
            assert 900_000 < kept < 1_300_000


async def test_a_server_that_stops_answers_who_waits_and_has_the_logs_written(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            waiting = asyncio.create_task(run(client, "echo said; sleep 1000", "?wait=60"))
            await until((tmp_path / "home" / LOGS).exists, "it ran")
            server.process.send_signal(signal.SIGTERM)
            answer = await waiting
            assert (answer["status"], answer["exit_code"], text(answer)) == ("done", 143, "said\n")
            await until(lambda: server.process.poll() is not None, "the server ended")
            assert read(answer["log_path"]) == "said\n"


async def test_a_command_that_runs_keeps_the_terminal_awake_and_asking_does_not(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            answer = await run(client, "sleep 1000", "?wait=0")
            assert (await client.json("GET", "/activity"))["reasons"] == ["a command runs"]
            await client.json("DELETE", f"/execute/{answer['id']}?force=true")
            since = (await client.json("GET", "/activity"))["idle_since"]
            await status(client, answer, "")
            await client.json("GET", "/execute")
            state = await client.json("GET", "/activity")
            assert (state["idle"], state["idle_since"], state["reasons"]) == (True, since, [])
