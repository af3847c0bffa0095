"""Word processor and presentation documents: zip archives with XML in them."""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from zipfile import ZipFile

from terminal_server.documents.limits import Unpacked
from terminal_server.documents.markup import MarkupReader, Vocabulary, parse
from terminal_server.documents.problems import DocumentError

Write = Callable[[str], None]

_PROPERTIES = frozenset({"pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr"})
_WORD = Vocabulary(
    paragraphs=frozenset({"p"}),
    rows=frozenset({"tr"}),
    cells=frozenset({"tc"}),
    texts=frozenset({"t"}),
    # What was deleted or moved away, and what old programs show in the place of something else.
    skipped=_PROPERTIES | {"del", "moveFrom", "Fallback"},
    marks={"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"},
)
_SLIDE = Vocabulary(
    paragraphs=frozenset({"p"}),
    rows=frozenset({"tr"}),
    cells=frozenset({"tc"}),
    texts=frozenset({"t"}),
    skipped=_PROPERTIES | {"Fallback"},
    marks={"br": "\n", "tab": "\t"},
)
_OPEN = Vocabulary(
    paragraphs=frozenset({"p", "h"}),
    rows=frozenset({"table-row"}),
    cells=frozenset({"table-cell", "covered-table-cell"}),
    skipped=frozenset({"tracked-changes", "annotation", "notes", "automatic-styles"}),
    marks={"tab": "\t", "line-break": "\n", "s": " "},
)
_OPEN_SLIDES = replace(_OPEN, page="page")


def write_docx(path: str, write: Write) -> None:
    """Write the paragraphs and tables of the main text, as it is with all changes accepted."""
    with ZipFile(path) as archive:
        _read(archive, "word/document.xml", _WORD, write)


def write_odt(path: str, write: Write) -> None:
    """Write the paragraphs and tables."""
    with ZipFile(path) as archive:
        _read(archive, "content.xml", _OPEN, write)


def write_odp(path: str, write: Write) -> None:
    """Write the text of each slide."""
    with ZipFile(path) as archive:
        _read(archive, "content.xml", _OPEN_SLIDES, write)


def write_pptx(path: str, write: Write) -> None:
    """Write the text of each slide, in the order of the presentation."""
    with ZipFile(path) as archive:
        unpacked = Unpacked()
        for number, slide in enumerate(_slides(archive, unpacked), 1):
            write(f"--- Slide {number} ---")
            _read(archive, slide, _SLIDE, write, unpacked)


def _slides(archive: ZipFile, unpacked: Unpacked) -> Iterator[str]:
    targets: dict[str, str] = {}

    def relation(name: str, attributes: Mapping[str, str]) -> None:
        if name.endswith(" Relationship"):
            targets[attributes.get("Id", "")] = posixpath.normpath(
                posixpath.join("/ppt", attributes.get("Target", ""))
            ).lstrip("/")

    order: list[str] = []

    def slide(name: str, attributes: Mapping[str, str]) -> None:
        if name.endswith(" sldId"):
            order.extend(value for key, value in attributes.items() if key.endswith("relationships id"))

    parse(_chunks(archive, "ppt/_rels/presentation.xml.rels", unpacked), relation)
    parse(_chunks(archive, "ppt/presentation.xml", unpacked), slide)
    return (targets[one] for one in order if one in targets)


def _read(
    archive: ZipFile, name: str, words: Vocabulary, write: Write, unpacked: Unpacked | None = None
) -> None:
    MarkupReader(words, write).read(_chunks(archive, name, unpacked or Unpacked()))


def _chunks(archive: ZipFile, name: str, unpacked: Unpacked) -> Iterator[bytes]:
    try:
        entry = archive.open(name)
    except KeyError:
        raise DocumentError(f"The document is damaged: it has no {name}") from None
    with entry as file:
        yield from unpacked.chunks(file)
