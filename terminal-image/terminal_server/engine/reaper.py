"""Collects every child that has ended: those started here, and the orphans of commands.

The server adopts orphans (it is a "subreaper", or process 1 of its container), so that a daemon which left
its session can still be found, and no zombie stays.
"""

import asyncio
import ctypes
import os
import signal
from collections import OrderedDict
from collections.abc import Callable

_PR_SET_CHILD_SUBREAPER = 36
_AT_ONCE = 4
_REMEMBERED = 1024


class Reaper:
    """Waits for all children of this process, and tells who asked for one of them."""

    def __init__(self) -> None:
        self._expected: dict[int, Callable[[int], None]] = {}
        self._others: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self.moment = 0
        """How many have ended that nobody expected."""

    def start(self) -> None:
        """Adopt orphans and listen for ends, on the running loop of the main thread."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)
        # Thousands of ends at once fill the pipe that wakes the loop. One byte in it is enough: no complaint.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)

    def stop(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def expect(self, pid: int, ended: Callable[[int], None], *, since: int) -> None:
        """Have `ended` called with the exit code (negative: a signal) when the child `pid` ends.

        It may have ended by now, if it was started after the moment `since`.
        """
        moment, code = self._others.pop(pid, (since, 0))
        if moment > since:
            ended(code)
        else:
            self._expected[pid] = ended

    def reap(self) -> None:
        """Collect every child that has ended by now, a few per pass of the event loop: others get their turn."""
        for _ in range(_AT_ONCE):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ended = self._expected.pop(pid, None)
            code = os.waitstatus_to_exitcode(status)
            if ended is not None:
                ended(code)
            else:
                self._remember(pid, code)
        asyncio.get_running_loop().call_soon(self.reap)

    def _remember(self, pid: int, code: int) -> None:
        self.moment += 1
        self._others[pid] = self.moment, code
        if len(self._others) > _REMEMBERED:
            self._others.popitem(last=False)
