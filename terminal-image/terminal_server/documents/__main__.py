"""The process: reads what to do, and answers with JSON. Exit status 0: the answer; 3: what was wrong."""

import json
import os
import sys
from typing import Any

from terminal_server.documents import limits
from terminal_server.documents.problems import DocumentError

REFUSED = 3
# The pages of a book take a while; lines that take long to compare would take for ever.
_CPU_SECONDS = {"text": 60, "compare": 10}


def main() -> int:
    """Do what the standard input says."""
    task = json.loads(sys.stdin.buffer.read())
    limits.hold(_CPU_SECONDS[task["do"]])
    try:
        answer, code = _done(task), 0
    except DocumentError as error:
        answer, code = {"detail": str(error), "status": error.status}, REFUSED
    except OSError as error:
        answer, code = {"detail": error.strerror or "The file could not be read", "status": 422}, REFUSED
    except (MemoryError, RecursionError):
        answer, code = {"detail": "The document takes too much memory", "status": 422}, REFUSED
    sys.stdout.buffer.write(
        json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    )
    sys.stdout.buffer.flush()
    return code


def _done(task: dict[str, Any]) -> dict[str, Any]:
    if task["do"] == "compare":
        from terminal_server.documents.compare import compared  # noqa: PLC0415 - not needed for a text

        return compared(
            os.fsdecode(task["original"].encode("latin-1")),
            os.fsdecode(task["revised"].encode("latin-1")),
            ignore_whitespace=task["ignore_whitespace"],
        )
    from terminal_server.documents.extract import write_text  # noqa: PLC0415 - after the limits are set
    from terminal_server.documents.lines import LineSink  # noqa: PLC0415 - likewise

    sink = LineSink(first=task["first"], last=task["last"], limit_bytes=task["limit_bytes"])
    write_text(task["kind"], os.fsdecode(task["path"].encode("latin-1")), sink.write)
    return {"path": task["shown"], "content": sink.text(), "total_lines": sink.total}


if __name__ == "__main__":
    sys.exit(main())
