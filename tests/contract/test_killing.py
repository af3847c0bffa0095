"""`DELETE /execute/ID`: a command and all it started end."""

import asyncio
import uuid
from pathlib import Path

import pytest

from tests.contract.running import Client, connected, running, running_like, until
from tests.contract.test_commands import run, status, text


@pytest.mark.parametrize("query", ["", "?force=true"])
async def test_killing_ends_the_whole_tree(client: Client, query: str) -> None:
    nap = f"sleep 1000.{uuid.uuid4().int}"
    command = f"echo begun; {nap} & setsid {nap} & (env -i setsid {nap} > /dev/null 2>&1 &); {nap}"
    answer = await run(client, command, "?wait=0")
    await until(lambda: len(running_like(nap)) == 4, "all run")
    waiting = asyncio.create_task(status(client, answer, "?wait=60"))
    assert await client.json("DELETE", f"/execute/{answer['id']}{query}") == {"status": "killed"}
    assert running_like(nap) == []
    ended = await waiting
    assert (ended["status"], ended["exit_code"]) == ("killed", 137 if query else 143)
    assert text(ended).startswith("begun\n")
    assert await client.json("DELETE", f"/execute/{answer['id']}") == {"status": "killed"}


async def test_a_command_asked_to_end_may_clean_up_unless_it_is_forced(
    tmp_path: Path,
) -> None:
    command = f"trap 'echo bye; exit 0' TERM; touch {tmp_path}/ready; while :; do sleep 0.05; done"
    with running(tmp_path / "server", TERMINAL_SERVER_KILL_GRACE_SECONDS="60") as server:
        async with connected(server) as client:
            for query, said in (("", "bye\n"), ("?force=true", "")):
                answer = await run(client, command, "?wait=0")
                await until((tmp_path / "ready").exists, "it listens")
                (tmp_path / "ready").unlink()
                await client.json("DELETE", f"/execute/{answer['id']}{query}")
                printed = text(await status(client, answer, ""))
                assert printed.endswith(said)
                assert ("bye" in printed) == bool(said)


@pytest.mark.parametrize("query", ["", "?force=true"])
async def test_killing_a_command_that_has_ended_ends_what_it_left_in_the_background(
    client: Client, query: str
) -> None:
    nap = f"sleep 1000.{uuid.uuid4().int}"
    command = f"{nap} & setsid {nap} & (env -i setsid {nap} > /dev/null 2>&1 &); echo begun"
    others = f"sleep 1001.{uuid.uuid4().int}"
    other = await run(client, f"{others} & echo begun")
    answer = await run(client, command)
    await until(lambda: len(running_like(nap)) == 3, "all run")
    for _ in range(2):
        assert await client.json("DELETE", f"/execute/{answer['id']}{query}") == {"status": "killed"}
        assert running_like(nap) == []
    ended = await status(client, answer)
    assert (ended["status"], ended["exit_code"], text(ended)) == ("done", 0, "begun\n")
    assert len(running_like(others)) == 1
    await client.json("DELETE", f"/execute/{other['id']}")
    assert running_like(others) == []
