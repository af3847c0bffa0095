"""The server as it is, but for one thing: when it looks after its connections, again and again or when it is told to.

Run as a program, with the arguments of the real one.
"""

import asyncio
import os
import runpy
import signal
from collections.abc import Collection

from terminal_server import http_limits


def _when_told(connections: Collection[object]) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, http_limits.go_round, connections)


if __name__ == "__main__":
    if "ROUND_SECONDS" in os.environ:
        http_limits.ROUND_SECONDS = float(os.environ["ROUND_SECONDS"])
    else:
        http_limits.watch = _when_told
    runpy.run_module("terminal_server", run_name="__main__")
