"""Runs the real server as a process of its own, on a loopback port, and talks to it."""

import asyncio
import contextlib
import inspect
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")

KEY = "the-key-of-these-tests-0123456789"
DEADLINE_SECONDS = 20.0
WATCHED = ("-m", "tests.contract.watched")
"""The program that complains of what is left unfinished."""

_PORTS = 1000
_turns = itertools.count(os.getpid())


def changed(statements: str) -> tuple[str, str]:
    """The server's program, in which something is changed before it runs."""
    return "-c", f"{statements}; import runpy; runpy.run_module('terminal_server', run_name='__main__')"


@dataclass
class Server:
    """A server that runs."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])

    def memory_peak(self) -> int:
        """The most memory it ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def logged(self) -> str:
        """All it wrote."""
        return self.log.read_text()


@contextlib.contextmanager
def running(
    folder: Path,
    *arguments: str,
    key: str | None = KEY,
    wrap: tuple[str, ...] = (),
    program: tuple[str, ...] = ("-m", "terminal_server"),
    **variables: str,
) -> Iterator[Server]:
    """Run a server with a home in `folder`; it is stopped, and its end awaited, at the end."""
    port = free_port()
    home = folder / "home"
    home.mkdir(parents=True)
    log = folder / "log"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TERMINAL_SERVER_", "OPEN_TERMINAL_", "PYTEST"))
    }
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    } | variables
    if key is not None:
        environment["OPEN_TERMINAL_API_KEY"] = key
    command = [
        *wrap,
        sys.executable,
        *program,
        "run",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *arguments],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    server = Server(f"http://127.0.0.1:{port}", home, log, process)
    try:
        _wait_for_health(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
            process.wait()
    before, failed, after = server.logged().partition("Traceback")
    assert not failed, f"{before[-500:]}{failed}{after[:5000]}"


def free_port() -> int:
    """A port nobody listens on, and that nobody else is given until it is used.

    Those the system gives to whoever wants any, and those of Kubernetes' services, begin at 30000. Below, each process
    that runs tests has some of its own; it takes one after the other, from where other checkouts do not.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
    first = 20000 + worker % 6 * _PORTS
    while True:
        port = first + next(_turns) % _PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_for_health(server: Server) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended at its start:\n{server.logged()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1) as probe:
            probe.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if probe.recv(100).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.02)
    raise AssertionError(f"no answer from the server:\n{server.logged()}")


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, which may itself have to be awaited, at most as long as the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (await holds if inspect.isawaitable(holds := condition()) else holds):
        assert time.monotonic() < deadline, f"in {DEADLINE_SECONDS} s it never happened that {what}"
        await asyncio.sleep(0.02)


async def out_of_time(attempt: Callable[[float], Awaitable[T | None]]) -> T:
    """Have something run out of time that has begun before, and return what came of it.

    Beginning takes as long as it takes, so `attempt` is given a longer limit, in seconds, each time it returns None.
    """
    for limit in (1.5, 6.0, 18.0):
        if (outcome := await attempt(limit)) is not None:
            return outcome
    raise AssertionError("it never began before its time was over")


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def running_like(text: str) -> list[int]:
    """The living processes whose command line is `text`, its words divided by single spaces."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().rstrip(b"\0").replace(b"\0", b" ") == text.encode() and alive(
                int(path.parent.name)
            ):
                found.append(int(path.parent.name))
    return found


def children(pid: int) -> list[int]:
    """Return the children of a process, zombies too."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in path.read_text().split()]
    return found


def pids(file: Path) -> list[int]:
    """The process ids a command wrote to a file."""
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def names(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(path.name for path in folder.iterdir())


class Client:
    """Calls a server with a key."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Call, with the options of aiohttp."""
        return self.session.request(method, self.server.url + path, **options)

    async def execute(self, command: str, **body: object) -> dict[str, Any]:
        """Run a command by contract 1, which a time limit shows, and return the answer."""
        body = {"command": command, "timeout": 30, **body}
        async with self.request("POST", "/execute", json=body) as response:
            assert response.status == 200, await response.text()
            answer = await response.json()
            assert isinstance(answer, dict)
            return answer

    async def execute_unread(self, command: str, **body: object) -> dict[str, Any]:
        """Run a command by contract 1, and read the answer, which has to be large, only when it has ended."""
        ended = self.server.home.parent / f"ended-{uuid.uuid4()}"
        command = f"({command}); code=$?; touch {ended}; exit $code"
        body = {"command": command, "timeout": 30, **body}
        async with self.request("POST", "/execute", json=body) as response:
            assert response.status == 200, await response.text()
            await until(ended.exists, "the command ended")
            answer = json.loads(await response.read())
            assert isinstance(answer, dict)
            return answer

    async def stream(self, command: str, **body: object) -> AsyncIterator[dict[str, Any]]:
        """Yield the lines of a streamed command as they come."""
        options = {"json": {"command": command, **body}}
        async with self.request("POST", "/execute?stream=true", **options) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "application/x-ndjson"
            async for line in lines(response):
                yield line

    async def json(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """Call, and return what the answer holds; the status must be as expected."""
        async with self.request(method, path, **options) as response:
            assert response.status == status, (response.status, await response.text())
            return await response.json(loads=strict)

    async def upload(self, data: bytes, name: str, folder: str = "in", status: int = 200) -> Any:
        """Upload a file."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", data, filename=name)
        return await self.json("POST", "/files/upload", status, params={"dir": folder}, data=form)


def strict(text: str) -> Any:
    """Read JSON as others than Python do: without NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"not JSON: {constant}")

    return json.loads(text, parse_constant=refuse)


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON lines of an answer, of any length."""
    rest = b""
    async for chunk in response.content.iter_any():
        *complete, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else [rest + chunk]
        for line in complete:
            yield json.loads(line)
    assert rest == b""


@contextlib.asynccontextmanager
async def connected(server: Server, key: str | None = KEY) -> AsyncIterator[Client]:
    """A client of a server, of whose connections none is left at the end."""
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    timeout = aiohttp.ClientTimeout(total=60)
    made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = address
        made.add(new := socket.socket(family, kind, protocol))
        return new

    connector = aiohttp.TCPConnector(limit=0, socket_factory=make)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        yield Client(server, session)
    # Who was answered before all was sent goes on sending, to a server that need not read it.
    for left in made:
        with contextlib.suppress(OSError):
            left.shutdown(socket.SHUT_RDWR)
    await until(lambda: all(left.fileno() < 0 for left in made), "all connections were closed")
