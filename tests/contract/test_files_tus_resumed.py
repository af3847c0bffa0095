"""Uploads that are gone on with while the server still waits for who sent first: a client that has vanished."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.contract.running import DEADLINE_SECONDS, KEY, Client, names, until
from tests.contract.test_files_tus import begin, offset, send


@contextlib.asynccontextmanager
async def _half_sent(
    client: Client, where: str, data: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A request that has brought `data`, and says no more; its connection stays open."""
    head = (
        f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nUpload-Offset: 0\r\n"
        "Content-Type: application/offset+octet-stream\r\nContent-Length: 1000\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    with contextlib.closing(writer.transport):
        writer.write(head.encode() + data)

        async def has_arrived() -> bool:
            return await offset(client, where) == len(data)

        await until(has_arrived, "it is known what has arrived")
        yield reader, writer


async def test_who_resumes_an_upload_takes_over_from_a_client_that_has_vanished(
    client: Client, tmp_path: Path
) -> None:
    where = await begin(client, tmp_path, 1000)
    async with _half_sent(client, where, b"a" * 100) as (reader, _):
        assert await send(client, where, 100, b"b" * 900) == 1000
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 409 ")
    assert (tmp_path / "file").read_bytes() == b"a" * 100 + b"b" * 900
    assert names(tmp_path) == ["file"]

    async def forgotten() -> bool:
        reasons = (await client.json("GET", "/activity"))["reasons"]
        return not any("PATCH" in reason for reason in reasons)

    await until(forgotten, "nobody is waited for any more")


async def test_who_resumes_at_another_place_is_refused_at_once_and_takes_nothing_over(
    client: Client, tmp_path: Path
) -> None:
    where = await begin(client, tmp_path, 1000)
    async with _half_sent(client, where, b"a" * 100) as (reader, writer):
        assert await send(client, where, 0, b"b" * 1000, 409) == -1
        writer.write(b"a" * 900)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 204 ")
    assert (tmp_path / "file").read_bytes() == b"a" * 1000


async def test_an_upload_can_be_given_up_while_a_vanished_client_is_at_it(
    client: Client, tmp_path: Path
) -> None:
    where = await begin(client, tmp_path, 1000)
    async with _half_sent(client, where, b"a" * 100):
        async with client.request("DELETE", where) as response:
            assert response.status == 204
        assert names(tmp_path) == []
