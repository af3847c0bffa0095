"""Many requests at once."""

import asyncio

from starlette.types import Receive, Scope, Send
from terminal_server.middleware.turns import TakeTurns


async def _call(app: TakeTurns, path: str) -> None:
    async def receive() -> dict[str, object]:
        return {}

    async def send(_message: object) -> None:
        pass

    await app({"type": "http", "path": path}, receive, send)


async def test_of_many_requests_one_begins_per_pass_and_probes_do_not_wait() -> None:
    begun: list[str] = []

    async def serve(scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.append(scope["path"])

    app = TakeTurns(serve)
    tasks = [asyncio.create_task(_call(app, f"/{number}")) for number in range(50)]
    await asyncio.sleep(0)
    counts = []
    while len(begun) < 50:
        before = len(begun)
        await asyncio.sleep(0)
        counts.append(len(begun) - before)
    assert max(counts) == 1
    assert begun == [f"/{number}" for number in range(50)]
    probe = asyncio.create_task(_call(app, "/health"))
    await asyncio.sleep(0)
    assert begun[-1] == "/health"
    await asyncio.gather(probe, *tasks)
