"""Leads loopback ports of this machine into the node's network.

A socket belongs to the network it was made in: this process listens in the machine's, then joins the node's, and
connects there. pasta could forward ports too, but the versions that Debian 12 has stall for ever when some
megabytes are sent at once; a test uploads a hundred through here.

Run as a program of its own: ``forward.py NETWORK LISTEN:NODE_PORT...``.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys

_CLONE_NEWNET = 0x40000000
_PIECE = 1 << 18
_BACKLOG = 1024


def main(network: str, *mappings: str) -> None:
    """Forward until killed; each mapping is the machine's port, a colon, and the node's port."""
    ports = [tuple(map(int, mapping.split(":"))) for mapping in mappings]
    listeners = [(_listen(ours), theirs) for ours, theirs in ports]
    _join(network)
    asyncio.run(_forward_all(listeners))


def _listen(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the only form there is
    return listener


def _join(network: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(network, os.O_RDONLY)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot join {network}")
    finally:
        os.close(descriptor)


async def _forward_all(listeners: list[tuple[socket.socket, int]]) -> None:
    async with asyncio.TaskGroup() as group:
        for listener, port in listeners:
            group.create_task(_accept(listener, port))


async def _accept(listener: socket.socket, port: int) -> None:
    loop = asyncio.get_running_loop()
    serving: set[asyncio.Task[None]] = set()
    while True:
        client, _ = await loop.sock_accept(listener)
        task = asyncio.create_task(_serve(client, port))
        serving.add(task)
        task.add_done_callback(serving.discard)


async def _serve(client: socket.socket, port: int) -> None:
    node = socket.socket()
    with client, node:
        for end in (client, node):
            end.setblocking(False)  # noqa: FBT003 - the only form there is
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().sock_connect(node, ("127.0.0.1", port))
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(client, node))
                both.create_task(_copy(node, client))
        except* OSError:
            pass  # one of the two has gone, and so does the other


async def _copy(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while piece := await loop.sock_recv(source, _PIECE):
        await loop.sock_sendall(target, piece)
    target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(*sys.argv[1:])
