"""Shows what differs between two files, line by line."""

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from terminal_server.documents.extract import write_text
from terminal_server.documents.kinds import BEGINNING_BYTES, kind_of
from terminal_server.documents.lines import LineLimitError, LineSink
from terminal_server.documents.problems import DocumentError
from terminal_server.encodings import NotTextError, detect

_FILE_BYTES = 50 * 1024**2
_TEXT_BYTES = 8 * 1024**2
_LINES = 50_000
_CONTEXT = 3
_WORDS_BYTES = 4096

Line = dict[str, Any]
Opcode = tuple[str, int, int, int, int]


def compared(original: str, revised: str, *, ignore_whitespace: bool) -> dict[str, Any]:
    """Return what differs, as a client draws it.

    Raises:
        DocumentError: one of them has no text, or is too large.
        OSError: one cannot be read.
    """
    old, notices_old = _lines(original)
    new, notices_new = _lines(revised)
    keys = [_key(lines) if ignore_whitespace else lines for lines in (old, new)]
    hunks, additions, deletions = [], 0, 0
    for group in _groups(*keys):
        lines = [line for opcode in group for line in _drawn(opcode, old, new)]
        additions += sum(line["type"] == "added" for line in lines)
        deletions += sum(line["type"] == "removed" for line in lines)
        hunks.append({"header": _header(group), "lines": lines})
    return {
        "original": {"path": original, "name": Path(original).name, "notices": notices_old},
        "revised": {"path": revised, "name": Path(revised).name, "notices": notices_new},
        "additions": additions,
        "deletions": deletions,
        "hunks": hunks,
    }


def _lines(path: str) -> tuple[list[str], list[str]]:
    """Return a file's lines, and what is to be known about them."""
    name = Path(path).name
    sink = LineSink(limit_bytes=_TEXT_BYTES)
    try:
        notices = _written(path, sink)
    except NotTextError:
        raise DocumentError(f"{name}: It is no text", 415) from None
    except LineLimitError:
        raise DocumentError(f"{name}: It has more than {_TEXT_BYTES} bytes of text", 413) from None
    except DocumentError as error:
        raise DocumentError(f"{name}: {error}", error.status) from None
    if sink.total > _LINES:
        raise DocumentError(f"{name}: It has more than {_LINES} lines", 413)
    return sink.lines(), notices


def _written(path: str, sink: LineSink) -> list[str]:
    with open(path, "rb") as file:  # noqa: PTH123 - a path may be no text
        content = file.read(_FILE_BYTES + 1)
    if len(content) > _FILE_BYTES:
        raise DocumentError(f"It is larger than {_FILE_BYTES} bytes", 413)
    kind = kind_of(path, content[:BEGINNING_BYTES])
    if kind is None:
        text = detect(content).decode(content).replace("\r\n", "\n")
        if text:
            sink.write(text.removesuffix("\n"))
        return []
    write_text(kind, path, sink.write)
    if not any(line.strip() for line in sink.lines()):
        raise DocumentError("It has no text")
    return ["Only the text is compared, not how it looks."]


def _key(lines: Sequence[str]) -> list[str]:
    return ["".join(line.split()) for line in lines]


def _groups(old: Sequence[str], new: Sequence[str]) -> Iterator[list[Opcode]]:
    """Yield groups of changes that lie near each other.

    What both begin and end with is not searched: most files that are compared differ in a few lines.
    """
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    head, tail = max(0, head - _CONTEXT), max(0, tail - _CONTEXT)
    matcher = difflib.SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    )
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield [(tag, i + head, j + head, k + head, m + head) for tag, i, j, k, m in group]


def _header(group: Sequence[Opcode]) -> str:
    (_, i, _, k, _), (_, _, j, _, m) = group[0], group[-1]
    return f"@@ -{i + (j > i)},{j - i} +{k + (m > k)},{m - k} @@"


def _drawn(opcode: Opcode, old: Sequence[str], new: Sequence[str]) -> list[Line]:
    tag, i, j, k, m = opcode
    if tag == "equal":
        return [
            {**_line("context", old[i + n], i + n + 1, k + n + 1), "revisedContent": new[k + n]}
            for n in range(j - i)
        ]
    removed = [_line("removed", old[n], n + 1, None) for n in range(i, j)]
    added = [_line("added", new[n], None, n + 1) for n in range(k, m)]
    for left, right in zip(removed, added, strict=False):
        left["segments"], right["segments"] = _segments(left["content"], right["content"])
    return removed + added


def _line(kind: str, content: str, old: int | None, new: int | None) -> Line:
    return {
        "type": kind,
        "oldNumber": old,
        "newNumber": new,
        "content": content,
        "segments": [{"text": content, "changed": False}],
    }


def _segments(old: str, new: str) -> tuple[list[Line], list[Line]]:
    """Return both lines in pieces, those that differ marked; long lines in one piece."""
    if max(len(old), len(new)) > _WORDS_BYTES:
        return [{"text": old, "changed": False}], [{"text": new, "changed": False}]
    before, after = (re.findall(r"\w+|\s+|[^\w\s]", line) for line in (old, new))
    left, right = [], []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if i < j:
            left.append({"text": "".join(before[i:j]), "changed": tag != "equal"})
        if k < m:
            right.append({"text": "".join(after[k:m]), "changed": tag != "equal"})
    return left, right
