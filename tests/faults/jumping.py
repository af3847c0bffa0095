"""The server as it is, but for one thing: its clock, the one on the wall, is wrong by what a file says.

Run as a program, with the arguments of the real one. `time.time` is what the server's own code and its libraries ask.
"""

import contextlib
import os
import runpy
import time
from pathlib import Path

_right = time.time
_right_in_nanoseconds = time.time_ns
_OFFSET = Path(os.environ["CLOCK_IS_WRONG_BY"])


def _wrong_by() -> float:
    with contextlib.suppress(OSError, ValueError):
        return float(_OFFSET.read_text())
    return 0.0


if __name__ == "__main__":
    time.time = lambda: _right() + _wrong_by()
    time.time_ns = lambda: _right_in_nanoseconds() + int(_wrong_by() * 1e9)
    runpy.run_module("terminal_server", run_name="__main__")
