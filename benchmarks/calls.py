"""How many requests the operator makes to the API server: per Terminal started, and when nothing has changed."""

import asyncio
from collections import Counter

from benchmarks.table import Row, counts
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import new_namespace
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.waiting import until

ROUNDS = 3
IDLE_PASSES = 5


async def measure(cluster: Cluster, operator: Operator) -> list[Row]:
    """Count requests by the operator's own metric."""
    children: list[int] = []
    statuses: list[int] = []
    reads: list[int] = []
    async with new_namespace(cluster) as namespace:
        for number in range(ROUNDS):
            await operator.until_idle()
            before = await operator.requests()
            await namespace.start(f"t{number}")
            await operator.until_idle()
            cost = await operator.requests() - before
            children.append(_count(cost, "POST"))
            statuses.append(cost["PATCH", "Terminal"])
            reads.append(_count(cost, "GET"))
        idle = [await _writes_of_a_pass(cluster, operator, turn) for turn in range(IDLE_PASSES)]
    return [
        counts("objects created per Terminal started", children, "6, one per child"),
        counts("status writes per Terminal started", statuses, "1 or 2"),
        counts("reads per Terminal started", reads, "0"),
        counts(f"writes of an idle pass over {ROUNDS} Terminals", idle, "0"),
    ]


def _count(requests: Counter[tuple[str, str]], method: str) -> int:
    return sum(count for (used, _), count in requests.items() if used == method)


async def _writes_of_a_pass(cluster: Cluster, operator: Operator, turn: int) -> int:
    """Have every Terminal looked at again, and count what is written for it."""
    before, passes = await operator.requests(), await operator.passes()
    annotations = {"terminal-operator.dev/looked-at": f"{turn}"}
    await cluster.api.merge("terminalclasses", None, "default", {"metadata": {"annotations": annotations}})

    async def looked() -> bool:
        return await operator.passes() >= passes + ROUNDS

    await until(looked, "the operator has looked at every Terminal", story=operator.story)
    await asyncio.sleep(0.5)
    made = await operator.requests() - before
    return sum(count for (method, _), count in made.items() if method != "GET")
