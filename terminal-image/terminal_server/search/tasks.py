"""What can be asked for: the four searches.

Each puts what it finds into an `Answer` as it goes. It may be broken off at any point, and what is there by then
is the answer.
"""

import heapq
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from terminal_server.files.names import shown
from terminal_server.search import finder
from terminal_server.search.content import Search, open_without_waiting
from terminal_server.search.gitignore import Ignored
from terminal_server.search.globs import Globs
from terminal_server.search.walking import Entry, is_hidden, walk

_ANSWER_BYTES = 256 * 1024
_LINES_PER_FILE = 3
_LAST_SECONDS = 1.0
"""For the lines of the files of one page, when the time was over before they were read."""
_RANK_EXACT, _RANK_BEGINNING, _RANK_NAME, _RANK_PATH, _RANK_CONTENT = range(5)

Item = dict[str, Any]
Task = dict[str, Any]


class TimeUpError(Exception):
    """The time for the search is over."""


class NotAPlaceError(Exception):
    """What is to be searched is neither a folder nor a file."""


@dataclass
class Answer:
    """What was found."""

    items: list[Item] = field(default_factory=list)
    truncated: bool = False
    """Whether there is, or may be, more."""
    next_offset: int | None = None
    room: int = _ANSWER_BYTES

    def add(self, item: Item, size: int, most: int) -> bool:
        """Take one more, of so many bytes, if there are not too many; tell whether it was taken."""
        self.room -= size
        if len(self.items) >= most or self.room < 0:
            self.truncated = True
            return False
        self.items.append(item)
        return True


def grep(task: Task, answer: Answer) -> None:
    """Find lines, or the files they are in."""
    search = Search(task["query"], regex=task["regex"], case_insensitive=task["case_insensitive"])
    for path in _files_for_grep(task, search):
        for found in search.lines(path):
            item: Item = {"file": shown(path)}
            size = len(item["file"])
            if task["match_per_line"]:
                item |= {"line": found.number, "content": found.shown()}
                size += len(item["content"].encode("utf-8", "replace"))
            if not answer.add(item, size, task["max_results"]):
                return
            if not task["match_per_line"]:
                break


def _files_for_grep(task: Task, search: Search) -> Iterator[str]:
    root = task["path"]
    if os.path.isfile(root):  # noqa: PTH113 - paths are text here: a Path for each of a home's files is too slow
        with open(root, "rb", opener=open_without_waiting):
            return iter([root])
    if not os.path.isdir(root) and os.path.exists(root):  # noqa: PTH110, PTH112 - likewise
        raise NotAPlaceError("path: neither a folder nor a file that can be searched")
    include = Globs(task["include"], root) if task["include"] else None
    paths = (
        entry.path
        for entry in walk(root, unseen=task["unseen"])
        if entry.is_regular and (include is None or include.match(entry.name, entry.relative))
    )
    return (path for path, may_match in finder.candidates(paths, search, task["ripgrep"]) if may_match)


def glob(task: Task, answer: Answer) -> None:
    """Find files and folders whose names match a pattern."""
    root = task["path"]
    wanted = Globs([task["pattern"]], root)
    unwanted = Globs(task["exclude"], root)

    def admits(entry: Entry) -> bool:
        return not unwanted.match(entry.name, entry.relative)

    for entry in walk(root, admits, unseen=task["unseen"]):
        if task["type"] not in {"any", entry.kind} or not wanted.match(entry.name, entry.relative):
            continue
        facts = _facts(entry.path)
        if facts is None:
            continue
        item = {"path": shown(entry.relative), "type": entry.kind, **facts}
        if not answer.add(item, len(item["path"]), task["max_results"]):
            return


def names(task: Task, answer: Answer) -> None:
    """Rank files and folders by how well their names match."""
    query = task["query"].strip().lower()
    found: list[tuple[int, int, str, Entry]] = []

    def look() -> None:
        for entry in _visible(task):
            rank = _rank(query, entry.name.lower())
            if task["type"] in {"any", entry.kind} and rank is not None:
                found.append((rank, len(entry.name), entry.relative.lower(), entry))

    _until_time_is_up(look, answer)
    found.sort(key=itemgetter(slice(0, 3)))
    for *_, entry in found:
        facts = _facts(entry.path)
        if facts is not None:
            item = {"path": shown(entry.path), "name": shown(entry.name), "type": entry.kind}
            answer.items.append(item | facts)
        if len(answer.items) >= task["limit"]:
            return


def matches(task: Task, answer: Answer) -> None:
    """Rank files and folders by how well their names, paths and contents match; one page of them."""
    search = Search(task["query"], regex=False, case_insensitive=True)
    query = task["query"].lower()
    found: list[tuple[int, int, str, Entry]] = []

    def look() -> None:
        for entry, may_match in _with_candidates(_visible(task), search, task["ripgrep"]):
            rank = _rank(query, entry.name.lower())
            if rank is None and query in entry.relative.lower():
                rank = _RANK_PATH
            if rank is None and may_match and next(search.lines(entry.path), None) is not None:
                rank = _RANK_CONTENT
            if rank is not None:
                found.append((rank, len(entry.relative), entry.relative.lower(), entry))

    _until_time_is_up(look, answer)
    end = task["offset"] + task["limit"]
    page = heapq.nsmallest(end, found, key=itemgetter(slice(0, 3)))[task["offset"] :]
    answer.next_offset = end if len(found) > end else None
    answer.items = [_matched(rank, entry) for rank, _, _, entry in page]
    if answer.truncated:
        signal.setitimer(signal.ITIMER_REAL, _LAST_SECONDS)
    for (*_, entry), item in zip(page, answer.items, strict=True):
        if entry.is_regular:
            item["content_matches"] = _lines(search, entry.path)


def _matched(rank: int, entry: Entry) -> Item:
    return {
        "path": shown(entry.path),
        "relative_path": shown(entry.relative),
        "name": shown(entry.name),
        "type": entry.kind,
        "name_match": rank < _RANK_CONTENT,
        "content_matches": [],
    }


def _lines(search: Search, path: str) -> list[Item]:
    lines = []
    for found in search.lines(path):
        # As JavaScript counts, whose editors this is for.
        column = len(found.text[: found.start].encode("utf-16-le")) // 2 + 1
        lines.append({"line": found.number, "column": column, "text": found.shown()})
        if len(lines) >= _LINES_PER_FILE:
            break
    return lines


def _with_candidates(
    entries: Iterator[Entry], search: Search, ripgrep: str | None
) -> Iterator[tuple[Entry, bool]]:
    """Yield all entries, and whether they may hold a match."""
    waiting: deque[Entry] = deque()

    def regular() -> Iterator[str]:
        for entry in entries:
            waiting.append(entry)
            if entry.is_regular:
                yield entry.path

    for path, may_match in finder.candidates(regular(), search, ripgrep):
        while waiting:
            entry = waiting.popleft()
            yield entry, may_match and entry.path == path
            if entry.path == path:
                break
    yield from ((entry, False) for entry in waiting)


def _visible(task: Task) -> Iterator[Entry]:
    """Yield what people look for: nothing hidden, unless that is asked for, and nothing git ignores."""
    ignored = Ignored(task["path"])
    show_hidden = task["show_hidden"]
    return walk(
        task["path"],
        lambda entry: (show_hidden or not is_hidden(entry)) and not ignored.leaves_out(entry),
        unseen=task["unseen"],
    )


def _rank(query: str, name: str) -> int | None:
    if name == query:
        return _RANK_EXACT
    if name.startswith(query):
        return _RANK_BEGINNING
    return _RANK_NAME if query in name else None


def _until_time_is_up(look: Callable[[], None], answer: Answer) -> None:
    """Do as much of it as there is time and memory for."""
    try:
        look()
    except (TimeUpError, MemoryError):
        answer.truncated = True


def _facts(path: str) -> Item | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - for each of many files
    except OSError:
        return None
    return {"size": status.st_size, "modified": status.st_mtime}
