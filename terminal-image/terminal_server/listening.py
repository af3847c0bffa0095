"""Opens the port, before everything that takes time. Only light modules are imported here."""

import os
import socket

DEFAULT_HOST = "0.0.0.0"  # noqa: S104 - in a container
DEFAULT_PORT = 8000
_BACKLOG = 2048
_PROBES = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 4}
"""In seconds, and how many; those of the system take two hours."""


def listen(host: str | None, port: int | None) -> socket.socket | None:
    """Listen where the arguments, else the environment, else the defaults say.

    Returns None where that is no port: the settings are checked later, by name.

    Raises:
        SystemExit: somebody else listens there.
    """
    host = host or os.environ.get("TERMINAL_SERVER_HOST") or DEFAULT_HOST
    try:
        number = port if port is not None else int(os.environ.get("TERMINAL_SERVER_PORT") or DEFAULT_PORT)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, number), family=family, backlog=_BACKLOG)
    except (ValueError, OverflowError):
        return None
    except OSError as error:
        raise SystemExit(f"terminal-server: cannot listen on {host}:{number}: {error.strerror}") from None
    # What follows is inherited by every connection. A client whose machine or network is gone says nothing; the kernel
    # asks whether it is there. TCP_USER_TIMEOUT would end connections of those as well who are, and read slowly.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _PROBES.items():
        listener.setsockopt(socket.IPPROTO_TCP, option, value)
    # Without it the end of an answer waits for the client to acknowledge its
    # beginning, 40 ms; asyncio sets it only on sockets it has opened itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
