"""Reads the text out of the XML of office documents, a piece at a time.

Word processors and presentation programs all save paragraphs of text, and tables of cells with paragraphs; only
the names differ. Entities of a document's own are refused: none of these formats has a use for them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from terminal_server.documents.problems import DocumentError

_LEVELS = 1000


@dataclass(frozen=True)
class Vocabulary:
    """What the elements of a format are called, without their namespaces."""

    paragraphs: frozenset[str]
    rows: frozenset[str]
    cells: frozenset[str]
    texts: frozenset[str] = frozenset()
    """What text stands in; if empty, in paragraphs."""
    skipped: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)
    """Elements that stand for a character."""
    page: str = ""
    """What a page or slide begins with."""


class MarkupReader:
    """Feeds on XML, and calls `write` with each paragraph, and each row of a table, its cells divided by tabs."""

    def __init__(self, vocabulary: Vocabulary, write: Callable[[str], None]) -> None:
        self._words = vocabulary
        self._write = write
        self._text: list[str] = []
        self._depth: dict[str, int] = {"paragraph": 0, "text": 0, "cell": 0, "skipped": 0}
        self._cells: list[str] = []
        self._cell: list[str] = []
        self._pages = 0
        self._level = 0

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read a whole document.

        Raises:
            DocumentError: it is no XML that can be taken.
        """
        parse(chunks, self._start, self._end, self._characters)

    def _start(self, name: str, _attributes: Mapping[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._level += 1
        if self._level > _LEVELS:
            raise DocumentError("The document is nested too deeply")
        if self._depth["skipped"] or local in self._words.skipped:
            self._depth["skipped"] += 1
            return
        for what, names in self._counted():
            self._depth[what] += local in names
        if local in self._words.marks and self._depth["paragraph"]:
            self._text.append(self._words.marks[local])
        if self._words.page and local == self._words.page:
            self._pages += 1
            self._write(f"--- Slide {self._pages} ---")

    def _end(self, name: str) -> None:
        self._level -= 1
        if self._depth["skipped"]:
            self._depth["skipped"] -= 1
            return
        local = name.rpartition(" ")[2]
        for what, names in self._counted():
            self._depth[what] -= local in names
        if local in self._words.paragraphs and not self._depth["paragraph"]:
            self._end_paragraph()
        elif local in self._words.cells and not self._depth["cell"]:
            self._cells.append(" ".join(self._cell))
            self._cell = []
        elif local in self._words.rows and not self._depth["cell"]:
            self._write("\t".join(self._cells))
            self._cells = []

    def _characters(self, data: str) -> None:
        inside = "text" if self._words.texts else "paragraph"
        if self._depth[inside] and not self._depth["skipped"]:
            self._text.append(data)

    def _end_paragraph(self) -> None:
        text, self._text = "".join(self._text), []
        if self._depth["cell"]:
            self._cell.append(text)
        else:
            self._write(text)

    def _counted(self) -> Iterable[tuple[str, frozenset[str]]]:
        return (
            ("paragraph", self._words.paragraphs),
            ("text", self._words.texts),
            ("cell", self._words.cells),
        )


def parse(
    chunks: Iterable[bytes],
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Read XML without entities but those of XML itself; nothing outside it is looked at.

    Args:
        chunks: the XML.
        start: called with the name of each element, after its namespace and a space, and its attributes.
        end: called with the name where an element ends.
        text: called with what stands between.

    Raises:
        DocumentError: this is no well-formed XML, or it declares entities.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
        parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise DocumentError(f"The document is damaged: {error}") from None


def _refuse(*_: object) -> NoReturn:
    raise DocumentError("The document declares entities of its own")
