"""The machine that measured, and how much its own times vary while it measures nothing else."""

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Row, seconds

_ROUNDS = 15
_WORK = 400_000


def shape() -> str:
    """Say what kind of machine this is, and when this was."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    gigabytes = int(memory.split()[1]) / 2**20
    kernel = platform.release().split("-")[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} CPUs ({platform.machine()}), {gigabytes:.0f} GiB,"
        f" Linux {kernel}, load {os.getloadavg()[0]:.1f}"
    )


def noise() -> list[float]:
    """Time the same small piece of work again and again, in seconds."""
    times = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        sum(number * number for number in range(_WORK))
        times.append(time.perf_counter() - begun)
    return times


def rows(before: list[float], after: list[float]) -> list[Row]:
    """Show how the same work took different times: nothing below that ratio means anything."""
    return [
        seconds("the machine's noise: a fixed piece of work, before", before),
        seconds("the machine's noise: the same, after", after),
    ]
