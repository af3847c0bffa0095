"""Books: a zip archive of web pages, and a list of them."""

import posixpath
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from urllib.parse import unquote
from zipfile import ZipFile

from terminal_server.documents.limits import Unpacked
from terminal_server.documents.markup import parse
from terminal_server.documents.problems import DocumentError

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_HIDDEN = frozenset({"head", "script", "style"})


def write_epub(path: str, write: Callable[[str], None]) -> None:
    """Write the text of each page, in the book's order."""
    with ZipFile(path) as archive:
        unpacked = Unpacked()

        def content(name: str) -> list[bytes]:
            try:
                with archive.open(name) as file:
                    return list(unpacked.chunks(file))
            except KeyError:
                raise DocumentError(f"The book is damaged: it has no {name}") from None

        package = _package(content("META-INF/container.xml"))
        for page in _pages(content(package), posixpath.dirname(package)):
            reader = _Page()
            reader.feed(b"".join(content(page)).decode("utf-8", "replace"))
            reader.close()
            for line in reader.lines():
                write(line)


def _package(container: list[bytes]) -> str:
    found: list[str] = []

    def element(name: str, attributes: Mapping[str, str]) -> None:
        if name.endswith(" rootfile"):
            found.append(attributes.get("full-path", ""))

    parse(container, element)
    if not found:
        raise DocumentError("The book is damaged: it does not say where its pages are")
    return found[0]


def _pages(package: list[bytes], folder: str) -> list[str]:
    places: dict[str, str] = {}
    order: list[str] = []

    def element(name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "item":
            href = unquote(attributes.get("href", ""))
            places[attributes.get("id", "")] = posixpath.normpath(posixpath.join(folder, href))
        elif local == "itemref":
            order.append(attributes.get("idref", ""))

    parse(package, element)
    return [places[one] for one in order if one in places]


class _Page(HTMLParser):
    """Collects what is to be read on a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        del attrs
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Take the end of an element."""
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        """Take text; its line ends are only space."""
        if not self._hidden:
            self._pieces.append(" ".join(data.split("\n")))

    def lines(self) -> list[str]:
        """Return the lines that hold anything."""
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        return [line for line in lines if line]
