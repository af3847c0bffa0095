"""`POST /execute?stream=true`: the answer while the command runs."""

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

from tests.contract.running import KEY, Client, Server, alive, connected, out_of_time, pids, running, until


async def test_output_arrives_while_the_command_runs_and_the_exit_code_comes_last(
    client: Client, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    lines = client.stream(f"echo one; until [ -e {gate} ]; do sleep 0.02; done; printf two >&2; exit 7")
    assert await anext(lines) == {"type": "stdout", "data": "one\n"}
    gate.touch()
    assert [line async for line in lines] == [{"type": "stderr", "data": "two"}, {"type": "exit", "data": 7}]


async def test_an_unfinished_line_is_not_held_back(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    lines = client.stream(f"printf 50%%; until [ -e {gate} ]; do sleep 0.02; done")
    assert await anext(lines) == {"type": "stdout", "data": "50%"}
    gate.touch()
    assert [line async for line in lines] == [{"type": "exit", "data": 0}]


async def _texts(client: Client, command: str) -> tuple[str, str, int]:
    texts = {"stdout": [], "stderr": [], "exit": []}  # type: dict[str, list[object]]
    async for line in client.stream(command):
        texts[line["type"]].append(line["data"])
    return "".join(map(str, texts["stdout"])), "".join(map(str, texts["stderr"])), int(str(texts["exit"][0]))


async def test_a_megabyte_on_stderr_before_stdout_does_not_block(client: Client) -> None:
    out, err, code = await _texts(client, "head -c 1000000 /dev/zero | tr '\\0' e >&2; echo out")
    assert (out, len(err), code) == ("out\n", 1_000_000, 0)


async def test_a_line_of_50_megabytes_arrives_whole(client: Client) -> None:
    out, _, code = await _texts(client, "head -c 50000000 /dev/zero | tr '\\0' x")
    assert (out == "x" * 50_000_000, code) == (True, 0)


async def test_a_character_is_never_split(client: Client) -> None:
    out, _, _ = await _texts(client, "yes aé€😀 | head -n 50000")
    assert out == "aé€😀\n" * 50_000
    slowly = r"for b in '\xf0' '\x9f' '\x98' '\x80'; do printf $b; sleep 0.05; done"
    assert await anext(client.stream(slowly)) == {"type": "stdout", "data": "😀"}


async def test_a_timeout_holds_for_a_stream_too(client: Client, tmp_path: Path) -> None:
    async def attempt(limit: float) -> list[dict[str, Any]] | None:
        file = tmp_path / f"pids-{limit}"
        command = f"echo $$ > {file}; setsid sleep 1003 & echo $! >> {file}; echo hi; wait"
        lines = [line async for line in client.stream(command, timeout=limit)]
        assert not any(map(alive, pids(file)))
        return lines if len(lines) > 1 and len(pids(file)) == 2 else None

    assert await out_of_time(attempt) == [{"type": "stdout", "data": "hi\n"}, {"type": "exit", "data": -1}]


async def test_a_child_left_in_the_background_does_not_hold_the_stream(client: Client) -> None:
    begun = time.monotonic()
    lines = [line async for line in client.stream("sleep 60 & echo hi")]
    assert lines == [{"type": "stdout", "data": "hi\n"}, {"type": "exit", "data": 0}]
    assert time.monotonic() - begun < 30


async def test_a_client_that_leaves_ends_the_whole_tree(client: Client, tmp_path: Path) -> None:
    command = f"echo $$ > {tmp_path}/pids; setsid sleep 1004 & echo $! >> {tmp_path}/pids; echo hi; wait"
    lines = client.stream(command, timeout=None)
    await anext(lines)
    assert len(pids(tmp_path / "pids")) == 2
    await lines.aclose()  # type: ignore[attr-defined]
    await until(lambda: not any(map(alive, pids(tmp_path / "pids"))), "the tree was ended")


def _ask_and_never_read(server: Server, command: str, timeout_seconds: float) -> socket.socket:
    body = json.dumps({"command": command, "timeout": timeout_seconds}).encode()
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = f"Host: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(b"POST /execute?stream=true HTTP/1.1\r\n" + head.encode() + body)
    return connection


async def test_a_reader_that_never_reads_slows_the_command_and_fills_no_memory(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        command = f"echo $$ > {tmp_path}/pids; yes | tee >(wc -c > {tmp_path}/count) ; wait"
        with _ask_and_never_read(server, command, 2):
            await until(lambda: pids(tmp_path / "pids"), "the command ran")
            # The limit holds although the server cannot send a byte.
            await until(lambda: not alive(pids(tmp_path / "pids")[0]), "the time was over")
            assert server.memory_peak() < 100e6
            async with connected(server) as client:
                assert (await client.execute("echo ok"))["stdout"] == "ok\n"


async def test_streams_run_side_by_side(client: Client) -> None:
    texts = await asyncio.gather(
        *(_texts(client, f"for i in 1 2 3; do echo {n}; sleep 0.1; done") for n in range(20))
    )
    assert [out for out, _, _ in texts] == [f"{n}\n" * 3 for n in range(20)]
