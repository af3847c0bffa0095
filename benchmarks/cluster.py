"""The cluster to measure on, with the operator in it and nothing else going on."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.e2e.kit.api import connect
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.provision import provide, take_down, was_up


@asynccontextmanager
async def bench_cluster() -> AsyncIterator[tuple[Cluster, Operator]]:
    """Bring the cluster up; it is taken down at the end unless it was up before, or KEEP_CLUSTER=1 is set."""
    keep = await asyncio.to_thread(was_up) or os.environ.get("KEEP_CLUSTER") == "1"
    await asyncio.to_thread(provide, f"bench-{os.getpid()}")
    try:
        async with connect() as api, aiohttp.ClientSession() as http:
            cluster = Cluster(api, http)
            yield cluster, Operator(cluster)
    finally:
        if not keep:
            await asyncio.to_thread(take_down)
