"""A WebSocket client of a shell that costs next to nothing: bytes to it, bytes from it, and no more of the protocol."""

import base64
import json
import os
import socket
import struct
from types import TracebackType
from typing import Self

from benchmarks.server.contestants import KEY
from benchmarks.server.running import Running

_SECONDS = 20.0
_READ_BYTES = 64 * 1024
_TEXT, _BINARY, _CLOSE = 1, 2, 8
_SHORT, _MEDIUM = 126, 127


class SocketShell:
    """A shell of its own in a server."""

    def __init__(self, server: Running, *, receive_buffer: int | None = None) -> None:
        with server.connect() as connection:
            shell = connection.post("/api/terminals", {}).json()["id"]
        self._received = bytearray()
        self._socket = socket.socket()
        self._socket.settimeout(_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", server.port))
        self._open(f"/api/terminals/{shell}")
        self._send(_TEXT, json.dumps({"type": "auth", "token": KEY}).encode())

    def send(self, data: bytes) -> None:
        """Send what is typed."""
        self._send(_BINARY, data)

    def read(self) -> bytes:
        """Return some of what the shell shows."""
        while True:
            kind, data = self._frame()
            if kind == _BINARY:
                return data
            if kind == _CLOSE:
                raise ConnectionError("the shell was closed")

    def read_until(self, end: bytes) -> None:
        """Read until something is shown."""
        shown = b""
        while end not in shown:
            shown = shown[-len(end) :] + self.read()

    def receive_raw(self, most: int) -> int:
        """Take bytes off the connection, whatever they are; return how many."""
        return len(self._socket.recv(most))

    def _open(self, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._received:
            self._more()
        head, _, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"no WebSocket: {head[:200]!r}")
        self._received[:] = rest

    def _send(self, kind: int, data: bytes) -> None:
        # A mask of zeros is a mask.
        length = bytes([0x80 | len(data)]) if len(data) < _SHORT else struct.pack("!BH", 0xFE, len(data))
        self._socket.sendall(bytes([0x80 | kind]) + length + bytes(4) + data)

    def _frame(self) -> tuple[int, bytes]:
        """Return the next frame's kind and data; the server's frames have no mask."""
        kind, length = self._take(2)
        if length == _SHORT:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == _MEDIUM:
            (length,) = struct.unpack("!Q", self._take(8))
        return kind & 0x0F or _BINARY, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._more()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _more(self) -> None:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the connection was closed")
        self._received += data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
