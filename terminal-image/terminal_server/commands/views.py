"""What an answer shows of a command's output: never more than a budget, and never silently less than there is.

Without an offset, an answer shows the head and the tail, and counts what is between. With an offset it shows what
follows, and says with `next_offset` where to go on: who asks again and again gets everything, and nothing twice.
"""

from dataclasses import dataclass

from terminal_server.commands.entries import NOTICE, Entry, cost, notice
from terminal_server.commands.log import Log
from terminal_server.engine import Stream


@dataclass(frozen=True)
class View:
    """Some of the output."""

    entries: list[Entry]
    next_offset: int
    """The number of the entry after those shown, or left out for good."""
    truncated: bool
    """Whether there is more output than is shown."""


async def look(log: Log, *, offset: int | None, tail: int | None, budget: int) -> View:
    """Return what is to be shown.

    Args:
        log: the output.
        offset: the number of the first entry; without, an overview of everything is shown.
        tail: how many entries at the end to show, at most.
        budget: bytes the entries may take.
    """
    if tail is not None:
        return await _tail(log, min(offset or 0, log.last), tail, budget)
    if offset is not None:
        return await _page(log, min(offset, log.last), budget)
    return await _overview(log, budget)


async def _page(log: Log, offset: int, budget: int) -> View:
    last = log.last
    part = await log.forward(offset, last, budget)
    return View(
        part.entries, offset + part.length, truncated=offset + part.length < last or _lossy(part.entries)
    )


async def _tail(log: Log, offset: int, tail: int, budget: int) -> View:
    last = log.last
    part = await log.backward(max(offset, last - tail), last, budget)
    return View(part.entries, last, truncated=last - part.length > offset or _lossy(part.entries))


async def _overview(log: Log, budget: int) -> View:
    last, size = log.last, log.size
    if size + cost(0) * last <= budget:
        part = await log.forward(0, last, budget)
        return View(part.entries, last, truncated=_lossy(part.entries))
    head = await log.forward(0, last, budget // 2)
    tail = await log.backward(head.length, last, budget // 2)
    shown = [*head.entries, *tail.entries]
    if head.length + tail.length < last:
        left_out = size - sum(entry.missing or len(entry.data) for entry in shown if _counts(entry))
        shown.insert(len(head.entries), _gap(log, left_out))
    return View(shown, last, truncated=_lossy(shown))


def _counts(entry: Entry) -> bool:
    return entry.kind != NOTICE or entry.missing > 0


def _gap(log: Log, size: int) -> Entry:
    text = f"{size} bytes of output are left out here"
    if log.problem is None:
        return notice(f"{text}; all of it is in {log.path}", size)
    return notice(f"{text}; not all of it is in {log.path}: {log.problem}", size)


def _lossy(entries: list[Entry]) -> bool:
    return any(entry.kind == NOTICE for entry in entries)


def text_of(log: Log, view: View, stream: Stream) -> str:
    """Return one stream's text; where output is left out, it says how much of this stream is missing."""
    shown = sum(len(entry.data) for entry in view.entries if entry.kind == stream)
    missing = log.totals[stream] - shown
    texts = []
    for entry in view.entries:
        if entry.kind == stream:
            texts.append(entry.text)
        elif entry.kind == NOTICE and missing > 0:
            texts.append(
                f"\n[terminal-server: {missing} bytes of {stream} are left out here; see {log.path}]\n"
            )
            missing = 0
    return "".join(texts)
