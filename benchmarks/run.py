"""Measures what a Terminal costs and what its server can do, and prints the tables.

`--only` measures a part: `cluster`, `server`, or one of the server's subjects.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import calls, machine, start, table
from benchmarks.cluster import bench_cluster
from benchmarks.server import comparison, execute, images, load, output, polls, shell, startup, transfer
from benchmarks.server.comparison import Comparison
from benchmarks.table import Row

SUBJECTS: dict[str, Callable[[], list[Comparison]]] = {
    "execute": execute.measure,
    "load": load.measure,
    "output": output.measure,
    "transfer": transfer.measure,
    "polls": polls.measure,
    "shell": shell.measure,
    "startup": startup.measure,
    "images": images.measure,
}
CLUSTER, SERVER = "cluster", "server"


def main(arguments: Sequence[str]) -> None:
    """Run every measurement wanted, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=[CLUSTER, SERVER, *SUBJECTS], help="what to measure")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write each table to a file in there")
    given = parser.parse_args(arguments)
    wanted = set(given.only or (CLUSTER, SERVER))
    subjects = [name for name in SUBJECTS if wanted & {SERVER, name}]
    if subjects:
        _publish(SERVER, comparison.render(_measure_server(subjects)), given.record)
    if CLUSTER in wanted:
        _publish(CLUSTER, table.render(asyncio.run(_measure_cluster())), given.record)


def _measure_server(subjects: Sequence[str]) -> list[Comparison]:
    noise = machine.noise()
    rows: list[Comparison] = []
    for subject in subjects:
        begun = time.monotonic()
        rows += SUBJECTS[subject]()
        print(f"{subject}: measured in {time.monotonic() - begun:.0f} s", flush=True)
    return [*rows, comparison.noise(noise, machine.noise())]


async def _measure_cluster() -> list[Row]:
    async with bench_cluster() as (cluster, operator):
        noise = machine.noise()
        rows = [*await start.measure(cluster), *await calls.measure(cluster, operator)]
        return [*rows, *machine.rows(noise, machine.noise())]


def _publish(name: str, rendered: str, folder: Path | None) -> None:
    text = f"{machine.shape()}\n\n{rendered}\n"
    print(f"\n{text}", flush=True)
    if folder is not None:
        (folder / f"{name}.md").write_text(f"# The last table: {name}\n\n{text}")


if __name__ == "__main__":
    main(sys.argv[1:])
