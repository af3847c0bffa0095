"""The threads for what may block: disks, mostly.

All are started with the server. A user who has used up the processes of the container, threads included, must
still be able to end what did it.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

COUNT = 8
_START_SECONDS = 10


def start() -> ThreadPoolExecutor:
    """Start the threads, for `asyncio.to_thread` and the like on the running loop."""
    executor = ThreadPoolExecutor(COUNT, thread_name_prefix="worker")
    # A pool starts a thread only when the others are busy: here all wait for each other.
    together = Barrier(COUNT, timeout=_START_SECONDS)
    for waiting in [executor.submit(together.wait) for _ in range(COUNT)]:
        waiting.result()
    asyncio.get_running_loop().set_default_executor(executor)
    return executor
