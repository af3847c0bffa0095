"""Writes the text of a document, whatever its kind."""

from collections.abc import Callable
from zipfile import BadZipFile

from terminal_server.documents.epub import write_epub
from terminal_server.documents.office import write_docx, write_odp, write_odt, write_pptx
from terminal_server.documents.problems import DocumentError

Write = Callable[[str], None]


def write_pdf(path: str, write: Write) -> None:
    """Write the text of each page."""
    from pypdf import PasswordType, PdfReader  # noqa: PLC0415 - each library only for its own documents
    from pypdf.errors import DependencyError, PyPdfError  # noqa: PLC0415 - likewise

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise DocumentError("The document is encrypted")
        for page in reader.pages:
            write(page.extract_text())
    except DependencyError:
        raise DocumentError("The document is encrypted") from None
    except PyPdfError as error:
        raise DocumentError(f"The document is damaged: {error}") from None


def write_sheet(path: str, write: Write) -> None:
    """Write each sheet's rows, the values of their cells divided by tabs."""
    from python_calamine import (  # noqa: PLC0415 - each library only for its own documents
        CalamineError,
        CalamineWorkbook,
        PasswordError,
    )

    try:
        workbook = CalamineWorkbook.from_path(path)
        for name in workbook.sheet_names:
            write(f"--- {name} ---")
            for row in workbook.get_sheet_by_name(name).iter_rows():
                write("\t".join(map(_cell, row)))
    except PasswordError:
        raise DocumentError("The document is encrypted") from None
    except CalamineError as error:
        raise DocumentError(f"The document is damaged: {error}") from None


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def write_rtf(path: str, write: Write) -> None:
    """Write the text."""
    from striprtf.striprtf import rtf_to_text  # noqa: PLC0415 - each library only for its own documents

    with open(path, encoding="latin-1", newline="") as file:  # noqa: PTH123 - a path may be no text
        text: str = rtf_to_text(file.read(), errors="replace")  # type: ignore[no-untyped-call]
    write(text)


_WRITERS: dict[str, Callable[[str, Write], None]] = {
    "pdf": write_pdf,
    "docx": write_docx,
    "pptx": write_pptx,
    "odt": write_odt,
    "odp": write_odp,
    "epub": write_epub,
    "sheet": write_sheet,
    "rtf": write_rtf,
}


def write_text(kind: str, path: str, write: Write) -> None:
    """Write the text of a document of a kind.

    Raises:
        DocumentError: it cannot be had.
        OSError: the file cannot be read.
    """
    try:
        _WRITERS[kind](path, write)
    except (DocumentError, OSError, MemoryError):
        raise
    except BadZipFile:
        raise DocumentError("The document is damaged: it is no zip archive") from None
    except Exception as error:
        # What a library raises for what somebody has made up is not to be foreseen.
        raise DocumentError(f"The document could not be read: {type(error).__name__}: {error}") from error
