"""Collects the lines of a document's text: those that are asked for, and the number of all."""

from terminal_server.documents.problems import DocumentError


class LineLimitError(DocumentError):
    """More is asked for than one answer can hold."""

    def __init__(self) -> None:
        super().__init__("The text is too long for one answer: use start_line and end_line", 413)


class LineSink:
    """Takes text a piece at a time; each piece ends a line."""

    def __init__(self, *, first: int = 1, last: int | None = None, limit_bytes: int) -> None:
        self._first = first
        self._last = last
        self._left = limit_bytes
        self._kept: list[str] = []
        self.total = 0

    def write(self, text: str) -> None:
        """Add text as lines of their own.

        Raises:
            LineLimitError: more is asked for than one answer can hold.
        """
        # Documents hold halves of surrogate pairs now and then; nothing can be done with them.
        clean = text.encode("utf-8", "replace").decode()
        for line in clean.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            self.total += 1
            if self.total < self._first or (self._last is not None and self.total > self._last):
                continue
            self._left -= len(line) + 1
            if self._left < 0:
                raise LineLimitError
            self._kept.append(line)

    def text(self) -> str:
        """Return what was kept."""
        return "".join(f"{line}\n" for line in self._kept)

    def lines(self) -> list[str]:
        """Return what was kept, line by line."""
        return self._kept
