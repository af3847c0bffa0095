"""Reads which programs listen on which TCP ports, from `/proc`. All of this may take milliseconds."""

import contextlib
import os
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from terminal_server.engine import tree

_LISTENS = b"0A"
_TABLES = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_PREFIX, _SUFFIX = "socket:[", "]"

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Listener:
    """A program that listens on a port."""

    port: int
    address: Address
    inode: int
    """The socket's number, which no other socket has at the same time."""
    pid: int
    process: str
    descriptor: int

    def is_there(self) -> bool:
        """Tell whether the program still has this socket."""
        return _socket_of(self.pid, self.descriptor) == self.inode


@dataclass(frozen=True)
class Listening:
    """A socket that listens, whosever it is."""

    port: int
    address: Address
    inode: int


def read_listening() -> list[Listening]:
    """Return every socket that listens where this process can connect to."""
    found: list[Listening] = []
    for table in _TABLES:
        # Without IPv6 there is no second table.
        with contextlib.suppress(FileNotFoundError), table.open("rb") as file:
            next(file, None)
            found.extend(_parsed(line.split()) for line in file if line.split(maxsplit=4)[3] == _LISTENS)
    return found


def _parsed(fields: list[bytes]) -> Listening:
    address, _, port = fields[1].partition(b":")
    return Listening(port=int(port, 16), address=_address(address.decode()), inode=int(fields[9]))


def _address(text: str) -> Address:
    """Read an address as the kernel writes it: 32 bits at a time, in the machine's order of bytes."""
    packed = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    if len(packed) == len(IPv4Address(0).packed):
        return IPv4Address(packed)
    address = IPv6Address(packed)
    return address.ipv4_mapped or address


def find_own(listening: Collection[Listening]) -> list[Listener]:
    """Return those of the sockets that processes of this terminal have: descendants of this process."""
    wanted = {one.inode: one for one in listening}
    found: dict[int, Listener] = {}
    for entry in sorted(tree.of_everything(tree.read_table()), key=lambda entry: entry.started):
        for descriptor, inode in _sockets(entry.pid):
            if inode in wanted and inode not in found:
                one = wanted[inode]
                found[inode] = Listener(one.port, one.address, inode, entry.pid, _name(entry.pid), descriptor)
    return sorted(found.values(), key=lambda one: (one.port, one.address.version, int(one.address)))


def _sockets(pid: int) -> Iterator[tuple[int, int]]:
    """Yield the sockets of a process; none if it has ended or is another user's."""
    try:
        paths = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for path in paths:
        inode = _socket_of(pid, int(path.name))
        if inode is not None:
            yield int(path.name), inode


def _socket_of(pid: int, descriptor: int) -> int | None:
    try:
        target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - hundreds of times, for each process
    except OSError:
        return None
    return int(target[len(_PREFIX) : -len(_SUFFIX)]) if target.startswith(_PREFIX) else None


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").rstrip("\n")
    except OSError:
        return ""


def hosts_of(listener: Listener, listening: Collection[Listening]) -> list[str]:
    """Return the addresses by which a program can be reached, the best first, and nobody else.

    A socket of IPv6 for any address takes IPv4 as well, mostly, and where IPv6 is turned off that is the only
    way to it; unless somebody else has the port there.
    """
    if not listener.address.is_unspecified:
        return [str(listener.address)]
    if listener.address.version == IPv4Address(0).version:
        return ["127.0.0.1"]
    others = any(
        one.port == listener.port and isinstance(one.address, IPv4Address) and one.inode != listener.inode
        for one in listening
    )
    return ["::1"] if others else ["::1", "127.0.0.1"]
