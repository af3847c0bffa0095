"""Serves a file, and nothing that only looks like one.

Opening a FIFO waits for ever, reading a device may do so, and what is in /proc has neither size nor end.
The file is opened once, without waiting, looked at, and served from that very descriptor.
"""

import asyncio
import errno
import mimetypes
import os
import stat
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from terminal_server.files.kernel import is_kernels
from terminal_server.files.names import disposition
from terminal_server.files.ranges import BadRangeError, UnsatisfiableRangeError, wanted_range
from terminal_server.http_protocol import EXTENSION, SendFile

_CHUNK = 512 * 1024
# What Python only knows where the system has a list of its own, as a slim image has not.
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_MORE_TYPES = {
    ".avif": "image/avif",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".heic": "image/heic",
    ".md": "text/markdown",
    ".odp": f"{_OPEN}.presentation",
    ".ods": f"{_OPEN}.spreadsheet",
    ".odt": f"{_OPEN}.text",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".yaml": "text/yaml",
}

Use = Literal["attachment", "inline"]
_SANDBOX = {
    # A link is for a stranger's browser: nothing in the file runs.
    "attachment": "sandbox; default-src 'none'",
    # A preview may run scripts, in an origin of its own that holds no key and no session.
    "inline": "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads",
}


def open_regular(path: Path) -> int:
    """Return a descriptor for reading an ordinary file. May block for as long as the disk does.

    Raises:
        OSError: EISDIR for a folder, EINVAL for what else is no ordinary file, or as the system has it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check_regular(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "This is a folder")
    real = Path(f"/proc/self/fd/{descriptor}").readlink()
    if not stat.S_ISREG(mode) or is_kernels(real):
        raise OSError(errno.EINVAL, "This is not an ordinary file")


def media_type(path: str | Path) -> str:
    """Return the MIME type a file's name promises."""
    name = Path(path).name
    kind, compression = mimetypes.guess_type(name, strict=False)
    if compression is not None:
        return f"application/{compression}"
    return kind or _MORE_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


class OpenFile(Response):
    """Sends a file that is already open, whole or a range of it, as what no browser runs in this origin."""

    def __init__(self, descriptor: int, name: str, use: Use = "attachment") -> None:
        self._descriptor = descriptor
        state = os.fstat(descriptor)
        self._size = state.st_size
        kind = media_type(name)
        super().__init__(
            headers={
                "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
                "Content-Disposition": disposition(use, name),
                "Content-Security-Policy": _SANDBOX[use],
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-cache",
                "Referrer-Policy": "no-referrer",
                "Accept-Ranges": "bytes",
                "Last-Modified": formatdate(state.st_mtime, usegmt=True),
                "ETag": f'"{state.st_ino:x}-{state.st_mtime_ns:x}-{state.st_size:x}"',
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close it however that ends."""
        try:
            await self._answer(scope, receive, send)
        finally:
            os.close(self._descriptor)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        if self._is_known(asked):
            del self.headers["content-length"]
            await send({"type": "http.response.start", "status": 304, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            # A range is of what GET answers, and of nothing else (RFC 9110, 14.2).
            may_be_range = scope["method"] == "GET" and self._may_be_range(asked)
            wanted = wanted_range(asked.get("range"), self._size) if may_be_range else None
        except BadRangeError as error:
            await JSONResponse({"detail": str(error)}, status_code=400)(scope, receive, send)
            return
        except UnsatisfiableRangeError as error:
            headers = {"Content-Range": f"bytes */{self._size}"}
            await JSONResponse({"detail": str(error)}, status_code=416, headers=headers)(scope, receive, send)
            return
        begin, end = wanted or (0, self._size)
        self.headers["content-length"] = str(end - begin)
        if wanted is not None:
            self.headers["content-range"] = f"bytes {begin}-{end - 1}/{self._size}"
        status = 200 if wanted is None else 206
        await send({"type": "http.response.start", "status": status, "headers": self.raw_headers})
        await self._send(begin, begin if scope["method"] == "HEAD" else end, scope, send)

    async def _send(self, begin: int, end: int, scope: Scope, send: Send) -> None:
        """Send the bytes: by the kernel where that is offered, else each chunk is read while one is sent."""
        send_file: SendFile | None = scope.get("extensions", {}).get(EXTENSION, {}).get("send")
        if send_file is not None:
            begin = await send_file(self._descriptor, begin, end)
            if begin < end:
                return
        while begin < end:
            chunk = await asyncio.to_thread(os.pread, self._descriptor, min(_CHUNK, end - begin), begin)
            if not chunk:
                # The file became shorter. An answer that is not completed closes the connection: the client
                # sees that it has not got what was promised.
                return
            begin += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _is_known(self, asked: Headers) -> bool:
        """Tell whether the client has it already."""
        known = asked.get("if-none-match")
        if known is not None:
            tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
            return self.headers["etag"] in tags or "*" in tags
        return asked.get("if-modified-since") == self.headers["last-modified"]

    def _may_be_range(self, asked: Headers) -> bool:
        # A date has seconds, and nobody knows whether the file had other content earlier in that second. Clients that
        # were given a tag have to use it (RFC 9110, 13.1.5).
        return asked.get("if-range") in {None, self.headers["etag"]}
