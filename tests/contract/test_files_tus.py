"""Uploads that are resumed, by the tus protocol."""

import asyncio
import base64
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import KEY, Client, Server, connected, names, running, until

VERSION = {"Tus-Resumable": "1.0.0"}


def metadata(name: str) -> str:
    return f"filetype dGV4dA==,filename {base64.b64encode(name.encode()).decode()}"


async def begin(client: Client, folder: Path, size: int, name: str = "file", status: int = 201) -> str:
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": metadata(name)}
    options = {"params": {"directory": str(folder)}, "headers": headers}
    async with client.request("POST", "/files/tus", **options) as response:
        assert response.status == status, await response.text()
        return f"/files/{response.headers['Location']}" if status == 201 else ""


async def send(client: Client, where: str, offset: int, data: bytes, status: int = 204) -> int:
    headers = {**VERSION, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    async with client.request("PATCH", where, data=data, headers=headers) as response:
        assert response.status == status, await response.text()
        return int(response.headers.get("Upload-Offset", -1))


async def offset(client: Client, where: str) -> int:
    async with client.request("HEAD", where, headers=VERSION) as response:
        return int(response.headers["Upload-Offset"]) if response.status == 200 else -response.status


async def test_a_file_arrives_in_parts_and_appears_when_it_is_complete(
    client: Client, tmp_path: Path
) -> None:
    where = await begin(client, tmp_path / "new", 10, "ä b.txt")
    assert await send(client, where, 0, b"01234") == 5
    assert not (tmp_path / "new" / "ä b.txt").exists()
    async with client.request("HEAD", where) as response:
        assert response.headers["Upload-Offset"] == "5"
        assert response.headers["Upload-Length"] == "10"
        assert response.headers["Tus-Resumable"] == "1.0.0"
        assert response.headers["Upload-Expires"].endswith("GMT")
        assert response.headers["Cache-Control"] == "no-store"
    assert await send(client, where, 5, b"56789") == 10
    assert (tmp_path / "new" / "ä b.txt").read_text() == "0123456789"
    assert names(tmp_path / "new") == ["ä b.txt"]
    assert await offset(client, where) == -404


async def test_a_client_learns_what_is_understood_and_where_the_file_will_be(
    client: Client, tmp_path: Path
) -> None:
    async with client.request("OPTIONS", "/files/tus") as response:
        assert response.headers["Tus-Version"] == "1.0.0"
        assert response.headers["Tus-Extension"] == "creation,expiration,termination"
    headers = {"Upload-Length": "0", "Upload-Metadata": metadata("../x/empty")}
    options = {"params": {"directory": str(tmp_path)}, "headers": headers}
    answer = await client.json("POST", "/files/tus", 201, **options)
    assert answer == {"path": str(tmp_path / "empty"), "size": 0}
    assert (tmp_path / "empty").read_bytes() == b""


async def test_a_broken_connection_loses_nothing_that_has_arrived(client: Client, tmp_path: Path) -> None:
    where = await begin(client, tmp_path, 10_000_000)
    head = (
        f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nUpload-Offset: 0\r\n"
        "Content-Type: application/offset+octet-stream\r\nContent-Length: 10000000\r\n\r\n"
    )
    data = os.urandom(10_000_000)
    partial = tmp_path / names(tmp_path)[0]
    with socket.create_connection(("127.0.0.1", client.server.port)) as connection:
        connection.sendall(head.encode() + data[:3_000_000])
    await until(lambda: partial.stat().st_size == 3_000_000, "what was sent has arrived")
    assert await offset(client, where) == 3_000_000
    await send(client, where, 3_000_000, data[3_000_000:4_000_000])
    await send(client, where, 3_000_000, b"x", 409)
    for begun in range(4_000_000, 10_000_000, 1_000_000):
        await send(client, where, begun, data[begun : begun + 1_000_000])
    assert (tmp_path / "file").read_bytes() == data


async def test_an_upload_survives_the_server(tmp_path: Path) -> None:
    with running(tmp_path / "1") as server:
        async with connected(server) as client:
            where = await begin(client, server.home / "in", 10)
            await send(client, where, 0, b"01234")
            server.process.kill()
            server.process.wait()
        home = server.home
    with running(tmp_path / "2", TERMINAL_SERVER_DATA_DIR=f"{home}/.cache/terminal-server") as server:
        async with connected(server) as client:
            assert await offset(client, where) == 5
            await send(client, where, 5, b"56789")
    assert (home / "in" / "file").read_text() == "0123456789"


async def test_an_upload_nobody_goes_on_with_is_removed(tmp_path: Path) -> None:
    with running(tmp_path / "server", TERMINAL_SERVER_UPLOAD_RETENTION_SECONDS="60") as server:
        async with connected(server) as client:
            old = await begin(client, server.home / "in", 10)
            await send(client, old, 0, b"x")
            (partial,) = (server.home / "in").iterdir()
            past = time.time() - 61
            os.utime(partial, (past, past))
            new = await begin(client, server.home / "in", 10)
            assert (await offset(client, old), await offset(client, new)) == (-404, 0)
            assert len(names(server.home / "in")) == 1


async def test_an_upload_can_be_given_up(client: Client, tmp_path: Path) -> None:
    where = await begin(client, tmp_path, 10)
    async with client.request("DELETE", where) as response:
        assert response.status == 204
    assert await offset(client, where) == -404
    assert names(tmp_path) == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "server") as server:
        yield server


async def test_there_are_only_so_many_unfinished_uploads(fresh: Server, tmp_path: Path) -> None:
    async with connected(fresh) as client:
        begun = [await begin(client, tmp_path / "in", 10) for _ in range(64)]
        await begin(client, tmp_path / "in", 10, status=429)
        await send(client, begun[0], 0, b"0123456789")
        await begin(client, tmp_path / "in", 10, "other")


async def test_two_who_send_at_once_do_not_mix(client: Client, tmp_path: Path) -> None:
    where = await begin(client, tmp_path, 1_000_000)

    async def sent(data: bytes) -> int:
        headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        async with client.request("PATCH", where, data=data, headers=headers) as response:
            return int(response.status)

    first, second = sorted(await asyncio.gather(sent(b"a" * 1_000_000), sent(b"b" * 1_000_000)))
    assert first == 204
    assert second in {404, 409}
    assert set((tmp_path / "file").read_bytes()) in ({97}, {98})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"Upload-Length": "-1"}, 422),
        ({"Upload-Length": "x"}, 422),
        ({"Upload-Length": "1", "Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": metadata("..")}, 400),
        ({"Upload-Length": "1", "Upload-Metadata": metadata("x" * 256)}, 400),
    ],
)
async def test_an_upload_that_cannot_be_is_refused(
    client: Client, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    options: Any = {"params": {"directory": str(tmp_path)}, "headers": headers}
    await client.json("POST", "/files/tus", status, **options)
    assert names(tmp_path) == []


async def test_bytes_that_do_not_belong_there_are_refused(client: Client, tmp_path: Path) -> None:
    where = await begin(client, tmp_path, 5)
    await send(client, where, 0, b"0123456789", 413)
    await send(client, where, 3, b"x", 409)
    async with client.request("PATCH", where, data=b"x", headers={"Upload-Offset": "0"}) as response:
        assert response.status == 415
    for other in ("/files/tus/" + "0" * 32, "/files/tus/..%2f..%2fx", "/files/tus/x"):
        await send(client, other, 0, b"x", 404)
    assert await offset(client, where) == 0


async def test_a_page_of_another_origin_may_use_it_if_it_is_allowed(tmp_path: Path) -> None:
    origin = "https://chat.example"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "tus-resumable,upload-offset,content-type,authorization",
    }
    with running(tmp_path, TERMINAL_SERVER_CORS_ORIGINS=origin) as server:
        async with connected(server, key=None) as client:
            async with client.request("OPTIONS", "/files/tus", headers=asked) as response:
                assert response.status == 200
            async with client.request("GET", "/health", headers={"Origin": origin}) as response:
                exposed = response.headers["Access-Control-Expose-Headers"]
                assert {"Upload-Offset", "Location"} <= set(exposed.split(", "))


async def test_what_is_known_of_an_upload_is_kept_with_the_server_and_broken_records_hurt_nobody(
    fresh: Server, tmp_path: Path
) -> None:
    folder = fresh.home / ".cache" / "terminal-server" / "uploads"
    async with connected(fresh) as client:
        where = await begin(client, tmp_path / "in", 10)
        (record,) = folder.iterdir()
        assert json.loads(record.read_text())["size"] == 10
        record.write_text("{")
        (folder / "other.json").write_text("[]")
        assert await offset(client, where) == -404
        await begin(client, tmp_path / "in", 10)
        assert len(names(folder)) == 1
