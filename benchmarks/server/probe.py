"""Asks a server for its health at a steady pace, from a process of its own, while something else loads it.

Every question has its time: one that is late because those before it were not answered counts from when it was due,
so that a server which stands still for a second is found out by more than one slow answer.
"""

import contextlib
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.server.wire import Connection, request

_EVERY_SECONDS = 0.005
_GIVE_UP_SECONDS = 30.0


@contextlib.contextmanager
def probing(port: int) -> Iterator[list[float]]:
    """Ask until the end of the block; after it the list has the seconds that each answer took."""
    times: list[float] = []
    command = [sys.executable, "-m", "benchmarks.server.probe", str(port)]
    folder = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the server is asked for its health in vain")
        try:
            yield times
        finally:
            printed, _ = process.communicate(timeout=2 * _GIVE_UP_SECONDS)
            times.extend(json.loads(printed))


def _ask(port: int) -> list[float]:
    """Ask until standard input ends."""
    times: list[float] = []
    question = request("GET", "/health")
    with Connection(port, seconds=_GIVE_UP_SECONDS) as connection:
        connection.exchange(question)
        print("asking", flush=True)
        due = time.perf_counter()
        while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
            try:
                connection.exchange(question)
            except OSError:
                times.append(time.perf_counter() - due)
                break
            times.append(time.perf_counter() - due)
            due += _EVERY_SECONDS
    return times


if __name__ == "__main__":
    print(json.dumps(_ask(int(sys.argv[1]))), flush=True)
