"""Says what is being done, how far it is and for how long: ten silent minutes look like a hang.

On a terminal one line is drawn again and again; in a log a line appears every few seconds, and only
for steps that take longer than that. Each step ends with one line that gives its time.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_TERMINAL_INTERVAL = 0.2
_LOG_INTERVAL = 10.0
_TITLE_WIDTH = 24


class Step:
    """One thing being done; whoever does it sets `detail` as it goes."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.started = time.monotonic()

    def line(self) -> str:
        """Title, time so far and detail."""
        seconds = time.monotonic() - self.started
        return f"  {self.title:<{_TITLE_WIDTH}} {_duration(seconds):>8}  {self.detail}".rstrip()


@contextmanager
def step(title: str, stream: TextIO | None = None) -> Iterator[Step]:
    """Show a step while the body runs, and its time when it is done."""
    out = sys.stderr if stream is None else stream
    current = Step(title)
    ended = threading.Event()
    painter = threading.Thread(target=_paint, args=(current, out, ended), daemon=True)
    painter.start()
    mark = "failed"
    try:
        yield current
        mark = ""
    finally:
        ended.set()
        painter.join()
        if mark:
            current.detail = f"{mark}  {current.detail}"
        _write(out, current.line(), last=True)


def _paint(current: Step, out: TextIO, ended: threading.Event) -> None:
    interval = _TERMINAL_INTERVAL if out.isatty() else _LOG_INTERVAL
    while not ended.wait(interval):
        _write(out, current.line(), last=False)


def _write(out: TextIO, line: str, *, last: bool) -> None:
    if out.isatty():
        columns = 100
        out.write(f"\r\x1b[2K{line[:columns]}" + ("\n" if last else ""))
    else:
        out.write(f"{line}\n")
    out.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{int(rest):02d}s" if minutes else f"{rest:.1f} s"
