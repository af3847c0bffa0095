"""Connections to the programs behind `/proxy/`."""

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

from terminal_server.ports.ports import Ports
from terminal_server.ports.target import Target

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_CONNECT_SECONDS = 5.0
_HEAD_SECONDS = 600.0
_HANDSHAKE_SECONDS = 30.0
_CLOSE_SECONDS = 3.0
_HEAD_BYTES = 64 * 1024
_GENERATED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class NoAnswerError(Exception):
    """The program cannot be reached, or does not answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Upstream:
    """Asks programs of this terminal, and nobody else."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def request(
        self, method: str, target: Target, headers: list[tuple[str, str]], body: Any
    ) -> "aiohttp.ClientResponse":
        """Send a request; return the answer when its head is there.

        Raises:
            NoAnswerError: there will be none.
        """

        async def attempt(session: "aiohttp.ClientSession", url: "URL") -> "aiohttp.ClientResponse":
            async with asyncio.timeout(_HEAD_SECONDS):
                return await session.request(method, url, headers=headers, data=body, allow_redirects=False)

        answer: aiohttp.ClientResponse = await self._reach(target, attempt)
        return answer

    async def connect(
        self, target: Target, headers: list[tuple[str, str]], protocols: list[str], most_bytes: int
    ) -> "aiohttp.ClientWebSocketResponse":
        """Open a WebSocket.

        Raises:
            NoAnswerError: the program does not want it, or cannot be reached.
        """
        import aiohttp  # noqa: PLC0415 - imported by now

        async def attempt(session: "aiohttp.ClientSession", url: "URL") -> "aiohttp.ClientWebSocketResponse":
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                return await session.ws_connect(
                    url,
                    headers=headers,
                    protocols=protocols,
                    max_msg_size=most_bytes,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                )

        socket: aiohttp.ClientWebSocketResponse = await self._reach(target, attempt)
        return socket

    async def _reach(self, target: Target, attempt: Any) -> Any:
        session = await self._open()
        import aiohttp  # noqa: PLC0415 - imported by now
        from yarl import URL  # noqa: PLC0415 - with aiohttp

        # Right before, so that the port is not somebody else's by now.
        hosts = await self._ports.hosts(target.port)
        if not hosts:
            raise NoAnswerError(404, f"No program of this terminal listens on port {target.port}")
        for host in hosts:
            name = f"[{host}]" if ":" in host else host
            try:
                return await attempt(
                    session, URL(f"http://{name}:{target.port}{target.path_and_query}", encoded=True)
                )
            except aiohttp.ClientConnectorError:
                continue
            except TimeoutError:
                raise NoAnswerError(504, f"The program on port {target.port} does not answer") from None
            except aiohttp.WSServerHandshakeError as error:
                raise NoAnswerError(
                    error.status if error.status >= 400 else 502,  # noqa: PLR2004 - where errors begin
                    f"The program on port {target.port} refused the WebSocket with status {error.status}",
                ) from None
            except (aiohttp.ClientError, ValueError):
                raise NoAnswerError(502, f"The program on port {target.port} gave no HTTP answer") from None
        raise NoAnswerError(502, f"The program on port {target.port} takes no connection")

    async def _open(self) -> "aiohttp.ClientSession":
        async with self._opening:
            session = self._session
            if session is None:
                # A tenth of a second: not on the loop.
                aiohttp = await asyncio.to_thread(importlib.import_module, "aiohttp")
                from terminal_server.ports.answer import Answer  # noqa: PLC0415 - needs aiohttp

                self._session = session = aiohttp.ClientSession(
                    # A connection for each request: none is ever kept to a program that may be another by then.
                    connector=aiohttp.TCPConnector(limit=0, force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    skip_auto_headers=_GENERATED,
                    response_class=Answer,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                    max_line_size=_HEAD_BYTES,
                    max_field_size=_HEAD_BYTES,
                )
        return session
