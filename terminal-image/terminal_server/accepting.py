"""Says once that no more connections can be accepted, where asyncio would say it thousands of times.

When there are no descriptors left, asyncio tries again each second, and complains for every connection that might be
waiting, with a traceback: a client that opens connections and does nothing would fill the log.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

_COMPLAINT = "socket.accept() out of system resource"
_RETRY = "_start_serving"
_QUIET_SECONDS = 60.0


class Complaints:
    """The event loop's handler of what nobody else handles."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at: float | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take one."""
        message, error = context["message"], context.get("exception")
        if message == _COMPLAINT:
            self._say(error)
        elif not (_RETRY in message and isinstance(error, ValueError)):
            # The exception is what was to be tried again when the server had closed its port in the meantime.
            loop.default_exception_handler(context)

    def _say(self, error: object) -> None:
        now = self._clock()
        if self._said_at is None or now - self._said_at > _QUIET_SECONDS:
            self._said_at = now
            log.warning("no more connections can be accepted for now: %s", error)
