"""Fetches a file from the internet for a user, and from nowhere else.

The server may stand where it can reach more than its user should: itself, its node, its cluster. So every
address is checked, after the name was resolved and before a connection is made, and the connection is made to
the very address that was checked. Redirects are followed by hand, each checked in the same way.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from terminal_server.files.addresses import is_public

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_REDIRECTS = 5
_CHUNK = 256 * 1024

AddressCheck = Callable[[str], bool]
Lookup = Callable[[str, int], Awaitable[list[str]]]


class FetchError(Exception):
    """The file cannot be had; `status` says whose fault it is, as HTTP does."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Fetcher:
    """Opens files by URL, within limits."""

    limit_bytes: int
    timeout_seconds: float
    may_connect: AddressCheck = is_public
    lookup: Lookup = resolve

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator["Download"]:
        """Open a URL; within the context, its content can be read.

        Raises:
            FetchError: it is no http(s) URL, leads to a forbidden address, fails, or takes too long.
        """
        import aiohttp  # noqa: PLC0415 - a fifth of the server's start, needed by few

        try:
            async with asyncio.timeout(self.timeout_seconds), AsyncExitStack() as stack:
                connector = aiohttp.TCPConnector(resolver=_checked_resolver(self), use_dns_cache=False)
                session = await stack.enter_async_context(
                    aiohttp.ClientSession(
                        connector=connector,
                        cookie_jar=aiohttp.DummyCookieJar(),
                        timeout=aiohttp.ClientTimeout(total=None),
                        auto_decompress=False,
                        headers={"Accept-Encoding": "identity"},
                    )
                )
                response = await self._follow(stack, session, url)
                yield Download(response, self.limit_bytes)
        except TimeoutError:
            raise FetchError(504, f"Fetching took longer than {self.timeout_seconds:g} seconds") from None
        except aiohttp.InvalidURL as error:
            raise FetchError(400, f"Not a URL: {error}") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise FetchError(502, f"The file could not be fetched: {error}") from None

    async def _follow(
        self, stack: AsyncExitStack, session: "aiohttp.ClientSession", url: str
    ) -> "aiohttp.ClientResponse":
        target = self._checked(url)
        for _ in range(_REDIRECTS + 1):
            response = await stack.enter_async_context(session.get(target, allow_redirects=False))
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or location is None:
                break
            response.close()
            target = self._checked(str(target.join(type(target)(location))))
        else:
            raise FetchError(502, "The URL redirects too often")
        if not 200 <= response.status < 300:  # noqa: PLR2004 - what HTTP calls successful
            raise FetchError(502, f"The URL answered {response.status}")
        return response

    def _checked(self, url: str) -> "URL":
        from yarl import URL  # noqa: PLC0415 - with aiohttp

        try:
            target = URL(url)
        except ValueError:
            raise FetchError(400, "Not a URL") from None
        if target.scheme not in {"http", "https"} or not target.host:
            raise FetchError(400, "Only http and https URLs can be fetched")
        # A host that is an address already is never looked up.
        if _is_address(target.host) and not self.may_connect(target.host):
            raise FetchError(400, f"Not a public address: {target.host}")
        return target


class Download:
    """The content of a URL."""

    def __init__(self, response: "aiohttp.ClientResponse", limit_bytes: int) -> None:
        self._response = response
        self._limit = limit_bytes

    async def content(self) -> AsyncGenerator[bytes]:
        """Yield the content.

        Raises:
            FetchError: there is more than the limit.
        """
        size = 0
        async for chunk in self._response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > self._limit:
                raise FetchError(413, f"The file is larger than {self._limit} bytes")
            yield chunk


def name_in(url: str) -> str:
    """Return what a URL calls its file: the last part of its path."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1] or "download"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _checked_resolver(fetcher: Fetcher) -> "aiohttp.abc.AbstractResolver":
    from aiohttp.abc import AbstractResolver, ResolveResult  # noqa: PLC0415 - with aiohttp

    class CheckedResolver(AbstractResolver):
        """Looks a name up once, and returns only addresses that were checked."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            del family
            try:
                addresses = await fetcher.lookup(host, port)
            except OSError:
                raise FetchError(400, f"No such host: {host}") from None
            if not addresses or not all(map(fetcher.may_connect, addresses)):
                raise FetchError(400, f"Not a public address: {host}")
            return [
                ResolveResult(
                    hostname=host,
                    host=address,
                    port=port,
                    family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                    proto=0,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
                for address in addresses
            ]

        async def close(self) -> None:
            """Nothing is held."""

    return CheckedResolver()
