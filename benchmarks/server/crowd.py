"""Many clients of one server, in one thread, each with a connection of its own."""

import selectors
import time
from types import TracebackType
from typing import Self

from benchmarks.server.wire import AnswerReader, Connection, DeadlineError

_READ_BYTES = 64 * 1024


class Crowd:
    """Clients that all send the same request."""

    def __init__(self, port: int, *, clients: int, sent: bytes, seconds: float) -> None:
        self._sent = sent
        self._seconds = seconds
        self._clients = [Connection(port) for _ in range(clients)]
        self._selector = selectors.DefaultSelector()
        for client in self._clients:
            self._selector.register(client.socket, selectors.EVENT_READ, client)

    def all_at_once(self) -> float:
        """Let each client call once, all at the same moment; return the seconds until the last answer."""
        begun = time.perf_counter()
        self._converse(begun)
        return time.perf_counter() - begun

    def rate(self, seconds: float) -> float:
        """Let each client call again as soon as it is answered, for so long; return the answers per second."""
        begun = time.perf_counter()
        answered = self._converse(begun + seconds)
        return answered / (time.perf_counter() - begun)

    def _converse(self, last_call: float) -> int:
        """Call until a moment, at least once each, and wait for all answers; return their number."""
        deadline = time.perf_counter() + self._seconds
        waiting = {client: AnswerReader() for client in self._clients}
        for each in self._clients:
            each.socket.sendall(self._sent)
        answered = 0
        while waiting:
            if time.perf_counter() > deadline:
                raise DeadlineError(f"{len(waiting)} clients had no answer in {self._seconds:g} s")
            for key, _ in self._selector.select(timeout=1):
                client: Connection = key.data
                data = client.socket.recv(_READ_BYTES)
                if not data:
                    raise ConnectionError("closed amid an answer")
                if not waiting[client].feed(data):
                    continue
                waiting[client].answer.json()
                answered += 1
                del waiting[client]
                if time.perf_counter() < last_call:
                    waiting[client] = AnswerReader()
                    client.socket.sendall(self._sent)
        return answered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        for client in self._clients:
            client.close()
