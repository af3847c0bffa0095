"""Measures what a Terminal costs, on a cluster of its own, and prints one table."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import calls, machine, start
from benchmarks.cluster import bench_cluster
from benchmarks.table import Row, render


async def main() -> None:
    """Run every measurement, one after the other."""
    async with bench_cluster() as (cluster, operator):
        noise = machine.noise()
        rows: list[Row] = [*await start.measure(cluster), *await calls.measure(cluster, operator)]
        rows += machine.rows(noise, machine.noise())
    print()
    print(f"{machine.shape()}\n")
    print(render(rows))


if __name__ == "__main__":
    asyncio.run(main())
