"""Runs the application: key, log, sockets, signals."""

import asyncio
import ctypes
import logging
import math
import os
import resource
import signal
import socket
from collections.abc import Mapping, Sequence
from types import FrameType

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from terminal_server import environment, http_limits, http_protocol, logs, options, websocket
from terminal_server.accepting import Complaints
from terminal_server.app import create_app
from terminal_server.auth import KeyProblemError, load_keys
from terminal_server.open_terminal import SharedError, check_not_shared
from terminal_server.services import Services
from terminal_server.settings import Settings, from_environment, unknown_variables

log = logging.getLogger(__name__)

_OPEN_FILES = 65536
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_LARGE_BYTES = 2 * 1024 * 1024
_SPARE_BYTES = 4 * 1024 * 1024
# Longer than ingress controllers keep an unused connection, so that they close it, and never send a request
# into one that is being closed here.
_KEEP_ALIVE_SECONDS = 120
_LAST_SECONDS = 1.0
_SPARE_SECONDS = 30.0
"""More than all steps of a stop take besides their grace, if they do not wait for a disk."""


class Server(uvicorn.Server):
    """Ends what runs first when told to stop, commands and shells, so that their requests can be answered."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        settings = services.settings
        self._most_seconds = _SPARE_SECONDS + 3 * (settings.stop_seconds + settings.kill_grace_seconds)
        self._lifecycle = services.lifecycle
        self._pools = (services.workers, services.starters)
        self._lifecycle.end = self._end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        asyncio.get_running_loop().set_exception_handler(Complaints())
        await super().startup(sockets)
        http_limits.watch(self.server_state.connections)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. What waits for a disk that does not answer is left behind."""
        ending = asyncio.create_task(self._shut_down(sockets))
        # When all threads wait for a disk, so does what needs one.
        await asyncio.wait([ending], timeout=self._most_seconds)
        if not ending.done() or not all(pool.ended(_LAST_SECONDS) for pool in self._pools):
            log.warning("ended without waiting for a disk that does not answer")
            logging.shutdown()
            # All is done that can be; Python would wait for its threads.
            os._exit(0)
        await ending

    async def _shut_down(self, sockets: list[socket.socket] | None) -> None:
        await self._lifecycle.stop()
        await super().shutdown(sockets)

    def _end(self) -> None:
        self.should_exit = True


def run(arguments: Sequence[str], known: Mapping[str, object], listener: socket.socket | None) -> int:
    """Serve until stopped; return the exit status.

    Args:
        arguments: the command line, but for what is known already.
        known: settings that have been read from it.
        listener: the open port; without, the port of the settings is opened here.
    """
    logs.configure("info", "text")
    try:
        check_not_shared(os.environ)
        settings = from_environment(os.environ, {**options.given(arguments), **known})
        keys, generated = load_keys(settings)
    except ValidationError as error:
        for problem in error.errors():
            log.error("setting %s: %s", ".".join(map(str, problem["loc"])), problem["msg"])  # noqa: TRY400
        return 2
    except (KeyProblemError, SharedError) as error:
        log.error("%s", error)  # noqa: TRY400 - the message says it all
        return 2
    logs.configure(settings.log_level, settings.log_format)
    for name in unknown_variables(os.environ):
        log.warning("%s is not a setting", name)
    if generated is not None:
        print(f"API key: {generated}", flush=True)  # noqa: T201 - once, and not in the log
    environment.furnish(settings.home)
    _allow_many_files()
    _keep_memory_together()
    serve(settings, create_app(settings, keys=keys, variables=dict(os.environ)), listener)
    return 0


def serve(settings: Settings, app: FastAPI, listener: socket.socket | None = None) -> None:
    """Serve the application until a signal."""
    # asyncio's own loop: starting a process takes three times as long under uvloop.
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="asyncio",
        http=http_protocol.Protocol,
        ws=websocket.make_protocol,  # type: ignore[arg-type]  # called as a class is
        ws_max_size=websocket.MESSAGE_BYTES,
        ws_ping_interval=websocket.PING_SECONDS,
        ws_ping_timeout=websocket.PONG_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
    )
    # Uvicorn raises the signal that stopped it once more; being told to stop is no failure.
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    Server(config, app.state.services).run(sockets=[listener] if listener is not None else None)


def _stopped(_signal: int, _frame: FrameType | None) -> None:
    pass


def _keep_memory_together() -> None:
    """Have all threads take memory from one place, from which it can be given back.

    The C library gives each thread a place of its own, and what one of them has used once stays there: a third of the
    memory after some thousand requests. They do not work at the same time, so none waits for another.

    What is large has pages of its own, and goes back at once. Of the rest a little is kept: the pieces of a command's
    output would have the kernel clear the same pages again and again.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_ARENA_MAX, 1)
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, _SPARE_BYTES)


def _allow_many_files() -> None:
    """Raise the limit of open files as far as is allowed and sensible: a command takes three while it runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
