"""What a call is done with is gone when it is answered: nobody has to look for it while others wait."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.running import Client, Server, connected, running, until

_CALLS = 40


@pytest.fixture(scope="module")
def untidy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("untidy")
    program = (str(Path(__file__).with_name("untidy.py")),)
    with running(folder, program=program, FOUND=str(folder / "found")) as server:
        (server.home / "large").write_bytes(b"x" * 300_000)
        yield server


@pytest.fixture
async def caller(untidy: Server) -> AsyncIterator[Client]:
    async with connected(untidy) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health", None),
        ("GET", "/execute", None),
        ("GET", "/skills", None),
        ("GET", "/openapi.json", None),
        ("GET", "/nowhere", None),
        ("GET", "/files/list", None),
        ("GET", "/files/read?path=large", None),
        ("GET", "/files/view?path=large", None),
        ("POST", "/files/write", {"path": "small", "content": "x"}),
        ("POST", "/execute", {"command": "true"}),
        ("POST", "/execute?wait=20", {"command": "echo a; echo b >&2"}),
        ("POST", "/execute", {"command": "echo a", "timeout": 20}),
        ("POST", "/execute?stream=true", {"command": "echo a", "timeout": 20}),
        ("POST", "/execute", {"command": 1}),
    ],
)
async def test_a_call_leaves_no_garbage(
    untidy: Server, caller: Client, method: str, path: str, body: dict[str, object] | None
) -> None:
    async def call() -> None:
        async with caller.request(method, path, json=body) as response:
            await response.read()

    await call()
    await _found(untidy)
    for _ in range(_CALLS):
        await call()
    assert await _found(untidy) < _CALLS


async def _found(server: Server) -> int:
    """Have the server look for garbage; return how many objects that was."""
    found = server.home.parent / "found"
    found.unlink(missing_ok=True)
    os.kill(server.process.pid, signal.SIGUSR1)
    await until(found.exists, "the server looked for garbage")
    return int(found.read_text())
