"""Collects what a cell gives, as the outputs a notebook holds, and no more of it than an answer can carry.

Of text the beginning and the end are kept and the middle is counted; images and the like are kept whole as long
as there is room for all of them.
"""

import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Output = dict[str, Any]

RICH_BYTES = 16 * 1024**2
_MOST = 1000
_ALWAYS = {"error", "execute_result"}


def plain(value: Any) -> Any:
    """Return a value of a kernel's message as strict JSON can hold it: without NaN and halves of characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int) else plain(str(value))


def shortened(text: str, limit: int) -> str:
    """Return a text of about `limit` characters at most: its beginning, its end, and what is left out between."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + _left_out(len(text) - 2 * half) + text[-half:]


def _left_out(count: int) -> str:
    return f"\n[… {count} characters left out …]\n"


@dataclass
class _Text:
    """What went to one stream, without a break by something else."""

    name: str
    head: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=deque)
    dropped: int = 0

    def output(self) -> Output:
        middle = _left_out(self.dropped) if self.dropped else ""
        text = "".join(self.head) + middle + "".join(self.tail)
        return {"output_type": "stream", "name": self.name, "text": text}


@dataclass
class _Rich:
    """Something that is shown, or an error."""

    content: Output
    size: int = 0
    display: str | None = None

    def output(self) -> Output:
        return self.content


class Outputs:
    """The outputs of one run of a cell. Its `take` gets what the kernel publishes."""

    def __init__(self, text_limit: int, rich_limit: int = RICH_BYTES) -> None:
        self._limit = text_limit
        self._rich_limit = rich_limit
        self._clear_before_next = False
        self._items: list[_Text | _Rich] = []
        self._notes: list[str] = []
        self._clear()

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Take a message by its type and content; what is no output is ignored."""
        try:
            self._take(kind, content)
        except RecursionError:
            self._refused += 1

    def _take(self, kind: str, content: Mapping[str, Any]) -> None:
        if kind == "clear_output":
            self._clear_before_next = bool(content.get("wait"))
            if not self._clear_before_next:
                self._clear()
        elif kind == "update_display_data":
            self._update(content)
        elif kind in {"stream", "display_data", "execute_result", "error"}:
            if self._clear_before_next:
                self._clear_before_next = False
                self._clear()
            self._add(kind, content)

    def note(self, text: str) -> None:
        """Add something the server has to say, at the end."""
        self._notes.append(text)

    def fail(self, name: str, text: str) -> None:
        """Add an error that is not the kernel's own."""
        self.take("error", {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]})

    def all(self) -> list[Output]:
        """Return them as a notebook holds them, each text in one piece."""
        notes = list(self._notes)
        if self._refused:
            notes.append(f"{self._refused} outputs are left out: too many, or nested too deeply")
        said = "".join(f"\n[terminal-server: {note}]\n" for note in notes)
        shown = [item.output() for item in self._items]
        return [*shown, {"output_type": "stream", "name": "stderr", "text": said}] if said else shown

    def _clear(self) -> None:
        self._items.clear()
        self._room = self._limit // 2
        self._tails: deque[_Text] = deque()
        self._tail_size = 0
        self._rich_size = 0
        self._refused = 0

    def _add(self, kind: str, content: Mapping[str, Any]) -> None:
        last = self._items[-1] if self._items else None
        if kind == "stream":
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            if isinstance(last, _Text) and last.name == name:
                self._append(last, str(content.get("text", "")))
                return
        if len(self._items) >= _MOST and kind not in _ALWAYS:
            self._refused += 1
        elif kind == "stream":
            self._items.append(_Text(name))
            self._append(self._items[-1], str(content.get("text", "")))
        elif kind == "error":
            self._items.append(_Rich(self._error(content)))
        else:
            self._items.append(self._rich(kind, content))

    def _append(self, item: _Text | _Rich, text: str) -> None:
        if not isinstance(item, _Text):
            raise TypeError("text goes to a stream")
        if self._room > 0 and not item.tail:
            item.head.append(plain(text[: self._room]))
            text, self._room = text[self._room :], self._room - len(text)
        if not text:
            return
        most = self._limit // 2
        item.dropped += max(0, len(text) - most)
        item.tail.append(plain(text[-most:]))
        self._tails.append(item)
        self._tail_size += len(item.tail[-1])
        while self._tail_size > most:
            self._cut(self._tail_size - most)

    def _cut(self, excess: int) -> None:
        """Drop of the oldest text that may be dropped."""
        oldest = self._tails.popleft()
        piece = oldest.tail.popleft()
        if len(piece) > excess:
            oldest.tail.appendleft(piece[excess:])
            self._tails.appendleft(oldest)
        gone = min(len(piece), excess)
        oldest.dropped += gone
        self._tail_size -= gone

    def _error(self, content: Mapping[str, Any]) -> Output:
        lines = content.get("traceback")
        traceback = [plain(str(line)) for line in lines] if isinstance(lines, list) else []
        if sum(map(len, traceback)) > self._limit:
            traceback = [shortened("\n".join(traceback), self._limit)]
        return {
            "output_type": "error",
            "ename": shortened(plain(str(content.get("ename", ""))), self._limit),
            "evalue": shortened(plain(str(content.get("evalue", ""))), self._limit),
            "traceback": traceback,
        }

    def _rich(self, kind: str, content: Mapping[str, Any]) -> _Rich:
        data, metadata = _bundle(content.get("data")), _bundle(content.get("metadata"))
        if isinstance(data.get("text/plain"), str):
            data["text/plain"] = shortened(data["text/plain"], self._limit)
        size = _size(data) + _size(metadata)
        if self._rich_size + size > self._rich_limit:
            text = f"[{', '.join(data)[:200]} left out: the outputs of the cell are too large]"
            data, metadata, size = {"text/plain": text}, {}, len(text)
        self._rich_size += size
        output: Output = {"output_type": kind, "data": data, "metadata": metadata}
        if kind == "execute_result":
            count = content.get("execution_count")
            output["execution_count"] = count if isinstance(count, int) else None
        return _Rich(output, size, _display(content))

    def _update(self, content: Mapping[str, Any]) -> None:
        display = _display(content)
        for index, item in enumerate(self._items):
            if display is not None and isinstance(item, _Rich) and item.display == display:
                self._rich_size -= item.size
                new = self._rich(item.content["output_type"], content)
                if "execution_count" in item.content:
                    new.content["execution_count"] = item.content["execution_count"]
                self._items[index] = new


def _bundle(value: Any) -> dict[str, Any]:
    return plain(value) if isinstance(value, Mapping) else {}


def _size(bundle: Mapping[str, Any]) -> int:
    return sum(len(one) if isinstance(one, str) else len(json.dumps(one)) for one in bundle.values())


def _display(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    display = transient.get("display_id") if isinstance(transient, Mapping) else None
    return None if display is None else str(display)
