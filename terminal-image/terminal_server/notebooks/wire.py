"""The sockets to one kernel, and the messages on them.

The kernel listens on sockets in a folder only the user may enter, not on ports, which everybody on the machine
can reach and of which the user is shown a list. The key that signs the messages is in a file there that the user
alone may read. It is no secret to the user's own commands: they may end the kernel anyway, or read its memory.
"""

import asyncio
import contextlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, cast

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.session import Session

CONNECTION_FILE = "connection.json"
MESSAGE_BYTES = 32 * 1024**2
_THREADS = 3
_WAITING_MESSAGES = 1000
_LARGE_BYTES = 128 * 1024
_LONGEST = 80
_SHORT = "/tmp"  # noqa: S108 - mkdtemp makes up a name below


class Message(NamedTuple):
    """What a kernel says."""

    kind: str
    request: str
    """What it is about: the id of a message to the kernel."""
    content: Mapping[str, Any]


def open_context() -> zmq.asyncio.Context:
    """Make what the sockets to all kernels share.

    Raises:
        RuntimeError: no thread can be started.
    """
    # ZeroMQ ends the whole process if it gets no thread. So it is tried before.
    threads = [Thread(target=lambda: None) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
    # What is not read waits in the kernel, not here.
    context.setsockopt(zmq.RCVHWM, _WAITING_MESSAGES)
    # Sending waits for nothing.
    context.setsockopt(zmq.SNDTIMEO, 0)
    context.socket(zmq.PAIR).close()
    return context


def make_folder(kernel: str) -> tuple[Path, KernelConnectionInfo]:
    """Make the folder of a kernel's sockets, with the file that tells the kernel of them; return both.

    It may block.

    Raises:
        OSError: it cannot be made.
    """
    parent = tempfile.gettempdir()
    # The path of a socket has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="kernel-", dir=parent if len(parent) < _LONGEST else _SHORT))
    connection: KernelConnectionInfo = {
        "transport": "ipc",
        "ip": str(folder / "socket"),
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
        "kernel_name": kernel,
        "shell_port": 1,
        "iopub_port": 2,
        "stdin_port": 3,
        "control_port": 4,
        "hb_port": 5,
    }
    file = folder / CONNECTION_FILE
    try:
        file.touch(mode=0o600)
        file.write_text(json.dumps(connection))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, connection


class Wire:
    """The connection to a kernel, whether it listens already or not."""

    def __init__(self, context: zmq.asyncio.Context, connection: KernelConnectionInfo) -> None:
        self._context = context
        self._connection = connection
        self._session = Session()
        self._client = self._connect()

    def ask(self) -> str:
        """Ask whether it is there; return what the request is called."""
        return str(self._client.kernel_info())

    def execute(self, source: str) -> str:
        """Send code; return what the request is called."""
        return str(self._client.execute(source, allow_stdin=False, stop_on_error=False))

    def interrupt(self) -> None:
        """Ask it to stop what it does."""
        # Who is not listened to need not say it again.
        with contextlib.suppress(zmq.Again):
            self._client.control_channel.send(self._client.session.msg("interrupt_request", {}))

    def shut_down(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(zmq.Again):
            self._client.shutdown()

    async def reply(self, *requests: str) -> Message:
        """Wait for the answer to any of some requests."""
        while True:
            message = await self._receive(self._client.shell_channel.socket)
            if message is not None and message.request in requests:
                return message

    async def published(self) -> Message | None:
        """Wait for what it says to everybody; None is something that makes no sense."""
        return await self._receive(self._client.iopub_channel.socket)

    async def broken(self) -> None:
        """Wait until a connection breaks: the kernel has ended, or a message was too large to be taken."""
        waiting = [asyncio.ensure_future(monitor.recv_multipart()) for monitor in self._monitors]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    def open_again(self) -> None:
        """Connect anew. What was on its way is lost; answers to earlier requests still find here."""
        self.close()
        self._client = self._connect()

    def close(self) -> None:
        """Close the sockets."""
        for channel, monitor in zip(self._watched(), self._monitors, strict=True):
            channel.disable_monitor()
            monitor.close(linger=0)
        self._client.stop_channels()

    def _connect(self) -> AsyncKernelClient:
        client = AsyncKernelClient(context=self._context, session=self._session)
        client.load_connection_info(self._connection)
        # No heartbeat, which takes a thread: the process itself is watched. No input: nobody is there to type.
        client.start_channels(stdin=False, hb=False)
        self._client = client
        self._monitors = [socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) for socket in self._watched()]
        return client

    def _watched(self) -> list[zmq.asyncio.Socket]:
        return [self._client.shell_channel.socket, self._client.iopub_channel.socket]

    async def _receive(self, socket: zmq.asyncio.Socket) -> Message | None:
        frames = await socket.recv_multipart()
        if sum(map(len, frames)) > _LARGE_BYTES:
            return await asyncio.to_thread(self._parsed, frames)
        return self._parsed(frames)

    def _parsed(self, frames: list[bytes]) -> Message | None:
        """Read a message. The user's own code may send what it likes.

        The session could do it too, but reads all dates and keeps all signatures, in seven times the time: a
        kernel that prints in a loop would be faster.
        """
        session = self._session
        try:
            _, parts = session.feed_identities(frames)
            signature, header, parent, _, content = cast("list[bytes]", parts[:5])
            if not compare_digest(session.sign(parts[1:5]), signature):
                return None
            told = session.unpack(content)
            if isinstance(told, Mapping):
                kind, request = session.unpack(header)["msg_type"], session.unpack(parent).get("msg_id")
                return Message(str(kind), str(request), told)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            pass
        return None
