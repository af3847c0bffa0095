"""Reads the file out of a multipart body while it arrives, in bounded memory and without a copy on disk."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header


class BadUploadError(ValueError):
    """The body is not what an upload looks like."""


@dataclass
class _Part:
    """The part being read. `file_name` is None for a part that is not the file."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    file_name: str | None = None


class FilePart:
    """The part named `file` of a multipart body: first its name, then its bytes."""

    def __init__(self, content_type: str | None, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._pieces: list[bytes] = []
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""
        self._file_names: list[str] = []
        self._complete = False
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadUploadError("the body must be multipart/form-data with a part named 'file'")
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )

    async def name(self) -> str:
        """Return what the client calls the file; empty if it does not say.

        Raises:
            BadUploadError: the body is malformed or has no such part.
        """
        while not self._file_names:
            if not await self._read():
                raise BadUploadError("the body has no part named 'file'")
        return self._file_names[0]

    async def content(self) -> AsyncGenerator[bytes]:
        """Yield the file's bytes, and read the body to its end.

        Raises:
            BadUploadError: the body is malformed, is cut short, or has a second file.
        """
        more = True
        while more:
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
            more = await self._read()
        for piece in self._pieces:
            yield piece
        if not self._complete:
            raise BadUploadError("the body ends in the middle")

    async def _read(self) -> bool:
        data = await anext(self._body, None)
        if data is None:
            return False
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise BadUploadError(f"the multipart body is malformed: {error}") from None
        if len(self._file_names) > 1:
            raise BadUploadError("one file per upload")
        return True

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name = self._header_name + data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value = self._header_value + data[start:end]

    def _end_header(self) -> None:
        self._part.headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition"))
        if options.get(b"name") == b"file":
            self._part.file_name = options.get(b"filename", b"").decode(errors="replace")
            self._file_names.append(self._part.file_name)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self._pieces.append(data[start:end])

    def _end(self) -> None:
        self._complete = True
