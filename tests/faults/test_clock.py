"""The clock on the wall jumps, as when a machine wakes up or somebody sets it: nothing ends or lasts for that."""

import ast
from pathlib import Path

import pytest
import terminal_server

from tests.contract.running import connected, running

_DAYS = 86400.0
_PACKAGE = Path(terminal_server.__file__).parent
_WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.today", "datetime.utcnow"}
_MAY_ASK = {
    "shells/shell.py": "when a shell was started is shown to people",
    "activity.py": "since when a terminal is idle is shown to people",
    "files/resumable.py": "what outlives the server has only the time of its file",
    "commands/registry.py": "likewise, the logs of commands of an earlier server",
    "commands/store.py": "likewise",
}


@pytest.mark.parametrize("days", [400.0, -400.0])
async def test_links_sessions_shells_and_commands_are_as_they_were_when_the_clock_has_jumped(
    tmp_path: Path, days: float
) -> None:
    offset = tmp_path / "offset"
    program = (str(Path(__file__).with_name("jumping.py")),)
    with running(
        tmp_path / "server",
        program=program,
        CLOCK_IS_WRONG_BY=str(offset),
        TERMINAL_SERVER_IDLE_SECONDS="600",
        TERMINAL_SERVER_SESSION_SECONDS="600",
    ) as server:
        async with connected(server) as client:
            session = {"X-Session-Id": "a chat"}
            await client.upload(b"content", "file", "~/folder")
            link = await client.json("GET", "/files/download/link", params={"path": "folder/file"})
            await client.json("POST", "/files/cwd", json={"path": "folder"}, headers=session)
            shell = await client.json("POST", "/api/terminals", headers=session)
            run = await client.json("POST", "/execute?wait=20", json={"command": "echo done"})
            slow = await client.json("POST", "/execute?wait=0", json={"command": "sleep 0.5; echo slow"})
            offset.write_text(str(days * _DAYS))
            async with client.request("GET", "/" + link["url"].split("/", 3)[3]) as response:
                assert await response.read() == b"content"
            cwd = await client.json("GET", "/files/cwd", headers=session)
            assert cwd["cwd"].endswith("/folder")
            shells = await client.json("GET", "/api/terminals", headers=session)
            assert [one["id"] for one in shells] == [shell["id"]]
            assert (await client.json("GET", f"/execute/{run['id']}/status"))["output"][0]["data"] == "done\n"
            ended = await client.json("GET", f"/execute/{slow['id']}/status?wait=20")
            assert ended["output"][0]["data"] == "slow\n"
            assert (await client.execute("sleep 0.1; echo in time", timeout=20))["stdout"] == "in time\n"
            assert (await client.json("GET", "/activity"))["idle_seconds"] < 60
            assert await client.json("GET", "/ready") == {"status": "ready"}


def test_no_time_that_passes_is_measured_with_the_clock_on_the_wall() -> None:
    asked = {
        str(path.relative_to(_PACKAGE))
        for path in _PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in _WALL_CLOCKS
    }
    assert asked <= set(_MAY_ASK), "time.monotonic does not jump"
