"""Which files are documents."""

from pathlib import Path

KINDS = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".xlsx": "sheet",
    ".xlsm": "sheet",
    ".xlsb": "sheet",
    ".xls": "sheet",
    ".ods": "sheet",
    ".odt": "odt",
    ".odp": "odp",
    ".epub": "epub",
    ".rtf": "rtf",
}
"""What reads a file with this ending."""
BEGINNINGS = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf")
"""What the content of a document begins with. A file that only has its ending is not one."""
BEGINNING_BYTES = 1024


def kind_of(path: str | Path, beginning: bytes) -> str | None:
    """Return what reads a file, None if it is no document."""
    kind = KINDS.get(Path(path).suffix.lower())
    if kind == "pdf":
        # Mail and scanners put a few bytes before it, and every reader takes that.
        return kind if b"%PDF-" in beginning else None
    return kind if beginning.startswith(BEGINNINGS) else None
