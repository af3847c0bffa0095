"""What the bytes of a text file mean, and how to write text back as the file had it."""

import codecs
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # The longer marks first: that of UTF-32 begins like that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Backspace, white space and escape occur in texts; the other control characters only in what is none.
_NEVER_IN_TEXT = bytes(set(range(0x20)) - set(b"\b\t\n\v\f\r\x1b")) + b"\x7f"
_MARK = "\ufeff"


class NotTextError(ValueError):
    """The content is no text."""


@dataclass(frozen=True)
class Encoding:
    """How a file's text is written as bytes."""

    codec: str
    mark: bytes = b""
    """The byte order mark it begins with, if it does."""

    def decode(self, data: bytes) -> str:
        """Return the text of a whole file, without the mark."""
        return data[len(self.mark) :].decode(self.codec)

    def encode(self, text: str) -> bytes:
        """Return the bytes of a whole file. What the file's encoding cannot hold makes it UTF-8.

        Raises:
            UnicodeEncodeError: half a surrogate pair cannot be written at all.
        """
        body = text.removeprefix(_MARK) if self.mark else text
        try:
            return self.mark + body.encode(self.codec)
        except UnicodeEncodeError:
            return body.encode()


UTF8 = Encoding("utf-8")


def marked(beginning: bytes) -> Encoding | None:
    """Return the encoding a file's first four bytes declare, if they do."""
    for mark, codec in _MARKS:
        if beginning.startswith(mark):
            return Encoding(codec, mark)
    return None


def detect(data: bytes) -> Encoding:
    """Return the encoding of a file's whole content; every byte of it survives decoding and encoding.

    What is not UTF-8 and declares nothing is taken as Windows-1252 or Latin-1, if it looks like text at all.

    Raises:
        NotTextError: it does not.
    """
    declared = marked(data)
    if declared is None:
        return unmarked(data)
    try:
        declared.decode(data)
    except UnicodeDecodeError:
        raise NotTextError from None
    return declared


def unmarked(data: bytes) -> Encoding:
    """Return the encoding of text that declares none, or is cut out of a file.

    Raises:
        NotTextError: it is none.
    """
    if b"\0" in data:
        raise NotTextError
    try:
        data.decode()
    except UnicodeDecodeError:
        return eight_bits(data)
    return UTF8


def eight_bits(data: bytes) -> Encoding:
    """Return the encoding of text that is not UTF-8 and declares nothing.

    Raises:
        NotTextError: it does not look like text.
    """
    if len(data.translate(None, _NEVER_IN_TEXT)) != len(data):
        raise NotTextError
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return Encoding("latin-1")
    return Encoding("cp1252")


def with_line_ends_of(old: str, new: str) -> str:
    """Return `new` with CRLF line ends, if all of `old` has them and `new` has none of its own.

    Editors in browsers, and models, give back LF whatever they were given.
    """
    windows = old.count("\r\n")
    if windows and windows == old.count("\n") and "\r" not in new:
        return new.replace("\n", "\r\n")
    return new
