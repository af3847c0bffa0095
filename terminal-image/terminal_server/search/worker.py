"""The program that searches: one process per search, which its time, its memory and its end are bound to.

It uses the standard library alone, as it has to start fast. The task comes on its input as JSON, the answer goes
to its output.
"""

import contextlib
import json
import os
import re
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from terminal_server.files.names import found
from terminal_server.search import finder, tasks
from terminal_server.search.tasks import Answer, NotAPlaceError, TimeUpError

_MEMORY_BYTES = 512 * 1024**2
_NICENESS = 5
_TASKS: dict[str, Callable[[dict[str, Any], Answer], None]] = {
    "grep": tasks.grep,
    "glob": tasks.glob,
    "names": tasks.names,
    "matches": tasks.matches,
}


def main() -> None:
    """Read a task, do it, and print the answer."""
    warnings.simplefilter("ignore")
    task = json.load(sys.stdin) | {"ripgrep": finder.installed()}
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
        os.nice(_NICENESS)
    json.dump(done(task), sys.stdout)


def done(task: dict[str, Any]) -> dict[str, Any]:
    """Do a task in its time, and return what there is to answer."""
    answer = Answer()
    signal.signal(signal.SIGALRM, _time_is_up)
    signal.setitimer(signal.ITIMER_REAL, task["seconds"])
    try:
        root = str(found(Path(task["path"])))
        place = {"path": root, "unseen": _below(root, task["unseen"])}
        _TASKS[task["kind"]](task | place, answer)
    except (TimeUpError, MemoryError):
        answer.truncated = True
    except (re.error, RecursionError, OverflowError) as error:
        return {"refused": f"query: not a regular expression of Python: {error}"}
    except NotAPlaceError as error:
        return {"refused": str(error)}
    except OSError as error:
        return {"errno": error.errno}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {"items": answer.items, "truncated": answer.truncated, "next_offset": answer.next_offset}


def _below(root: str, paths: Iterable[str]) -> set[str]:
    """Return those of the paths that are below a folder, as seen from there, whatever links lead to either."""
    base = os.path.realpath(root).rstrip("/") + "/"
    return {real.removeprefix(base) for path in paths if (real := os.path.realpath(path)).startswith(base)}


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise TimeUpError
