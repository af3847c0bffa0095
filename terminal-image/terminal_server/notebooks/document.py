"""A notebook's file: what its cells say, and how outputs get into it without losing anybody's change.

The file belongs to its user, who edits it with other programs at the same time. So it is read again before every
run of a cell and after it, and only the cell that ran is changed, if it is still the same cell. Whatever else is
in the file stays as it is: the order of its keys, fields nobody here knows, the way it is indented.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from terminal_server.notebooks.outputs import Output

LIMIT_BYTES = 100 * 1024**2
_FORMAT = 4
_SPLIT = {"application/javascript", "image/svg+xml"}


class NotebookError(Exception):
    """The file is no notebook, or not one that can be run."""


class Print(NamedTuple):
    """What a cell is known by, for finding out whether it is still the same."""

    id: str | None
    digest: bytes


class Document:
    """A notebook as it is in a file."""

    def __init__(self, content: dict[str, Any], indent: str | None) -> None:
        self._content = content
        self._indent = indent
        self._cells: list[dict[str, Any]] = content["cells"]

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def kernel(self) -> str:
        """The name of the kernel it wants."""
        name = self._metadata("kernelspec").get("name")
        return name if isinstance(name, str) and name else "python3"

    @property
    def language(self) -> str:
        """The language of its cells, in lower case; empty if it does not say."""
        language = self._metadata("kernelspec").get("language") or self._metadata("language_info").get("name")
        return language.lower() if isinstance(language, str) else ""

    def kind(self, index: int) -> str:
        """Return the type of a cell: `code`, `markdown` or `raw`."""
        return str(self._cells[index].get("cell_type"))

    def source(self, index: int) -> str:
        """Return the text of a cell."""
        return _joined(self._cells[index].get("source", ""))

    def prints(self) -> list[Print]:
        """Return what its cells are known by."""
        return [self.print_of(index) for index in range(len(self))]

    def print_of(self, index: int) -> Print:
        """Return what a cell is known by."""
        name = self._cells[index].get("id")
        return Print(name if isinstance(name, str) else None, digest(self.source(index)))

    def find(self, known: Print, index: int) -> int | None:
        """Return where the cell is that was known as `known` and was the one at `index`, if it is still there."""
        if known.id is not None:
            places = [place for place, cell in enumerate(self._cells) if cell.get("id") == known.id]
            return places[0] if len(places) == 1 else None
        return index if index < len(self) and self._cells[index].get("id") is None else None

    def put(self, index: int, source: str, outputs: Sequence[Output], execution_count: int | None) -> None:
        """Put a run of a cell into it."""
        cell = self._cells[index]
        if source != self.source(index):
            cell["source"] = _lines(source) if isinstance(cell.get("source"), list) else source
        cell["outputs"] = [_stored(output) for output in outputs]
        cell["execution_count"] = execution_count

    def text(self) -> bytes:
        """Return it as it is written."""
        text = json.dumps(self._content, ensure_ascii=False, indent=self._indent)
        return (text + "\n").encode("utf-8", "replace")

    def _metadata(self, name: str) -> dict[str, Any]:
        metadata = self._content.get("metadata")
        found = metadata.get(name) if isinstance(metadata, dict) else None
        return found if isinstance(found, dict) else {}


def digest(source: str) -> bytes:
    """Return what tells one text from another."""
    return hashlib.sha256(source.encode("utf-8", "replace")).digest()[:16]


def read(path: Path) -> Document:
    """Read a notebook. It may block.

    Raises:
        NotebookError: it is none.
        OSError: the file cannot be read.
    """
    try:
        text = _content(path).decode()
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise NotebookError("not a notebook: no JSON") from None
    if not isinstance(content, dict) or content.get("nbformat") != _FORMAT:
        raise NotebookError("not a notebook of format 4")
    cells = content.get("cells")
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        raise NotebookError("not a notebook: its cells are missing or malformed")
    indented = re.match(r"\s*\{\r?\n([ \t]*)\"", text)
    return Document(content, indented.group(1) if indented else None)


def _content(path: Path) -> bytes:
    # A pipe must not be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotebookError("not a file")
        data = file.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        raise NotebookError(f"a notebook has at most {LIMIT_BYTES} bytes")
    return data


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict):
        return False
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return all(isinstance(line, str) for line in lines)


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _stored(output: Output) -> Output:
    """Return an output as files have it: texts as lists of lines."""
    if output["output_type"] == "stream":
        return {**output, "text": _lines(output["text"])}
    if "data" not in output:
        return output
    data = {
        kind: _lines(value)
        if isinstance(value, str) and (kind.startswith("text/") or kind in _SPLIT)
        else value
        for kind, value in output["data"].items()
    }
    return {**output, "data": data}
