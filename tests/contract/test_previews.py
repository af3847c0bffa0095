"""Previews of documents: PDFs, which a program makes that may take long, and much."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import Client, Server, alive, connected, names, pids, running, until

_LIBREOFFICE = """#!/bin/sh
for word; do last=$word; if [ "$before" = --outdir ]; then folder=$word; fi; before=$word; done
ulimit -d > {notes}/limit
mkdir {notes}/running/$$
echo $$ >> {notes}/pids
ls {notes}/running | wc -l >> {notes}/together
until [ -e {notes}/go ]; do sleep 0.05; done
rmdir {notes}/running/$$
name=$(basename "$last"); printf '%%PDF-preview' > "$folder/${{name%.*}}.pdf"
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the program writes what it does; it makes PDFs when there is a file `go`."""
    folder = tmp_path / "notes"
    (folder / "running").mkdir(parents=True)
    return folder


@pytest.fixture
def server(tmp_path: Path, notes: Path) -> Iterator[Server]:
    """A server with something like LibreOffice."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "soffice").write_text(_LIBREOFFICE.format(notes=notes))
    (programs / "soffice").chmod(0o755)
    with running(tmp_path / "server", PATH=f"{programs}:/usr/bin:/bin") as started:
        yield started


async def _preview(client: Client, path: Path) -> bytes:
    wanted = {"path": str(path), "preview": "true"}
    async with client.request("GET", "/files/view", params=wanted) as response:
        assert response.status == 200
        return bytes(await response.read())


def _open_files(server: Server) -> list[str]:
    """Return what a server has open."""
    found = []
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(path.readlink()))
    return found


async def test_few_are_made_at_a_time_with_a_limit_of_memory(server: Server, notes: Path) -> None:
    documents = [server.home / f"{number}.docx" for number in range(8)]
    for path in documents:
        path.write_bytes(b"document")
    async with connected(server) as client:
        asking = [asyncio.create_task(_preview(client, path)) for path in documents]
        await until(lambda: len(pids(notes / "pids")) > 1, "two were being made")
        # Whatever else could have begun by now has.
        assert (await client.execute("echo well"))["stdout"] == "well\n"
        (notes / "go").touch()
        assert await asyncio.gather(*asking) == [b"%PDF-preview"] * len(documents)
    assert max(map(int, (notes / "together").read_text().split())) == 2
    assert int((notes / "limit").read_text()) > 0


async def test_a_client_that_leaves_ends_the_making_of_its_preview_and_leaves_nothing(
    server: Server, notes: Path
) -> None:
    document = server.home / "long.docx"
    document.write_bytes(b"document")
    work = server.home / ".cache" / "terminal-server"
    async with connected(server) as client:
        asking = asyncio.create_task(_preview(client, document))
        await until(lambda: pids(notes / "pids"), "it was being made")
        assert [name for name in names(work) if name.startswith("preview-")]
        asking.cancel()
        await until(lambda: not alive(pids(notes / "pids")[0]), "the program was ended")
        await until(lambda: not [one for one in names(work) if one.startswith("preview-")], "all was removed")
        assert str(document) not in _open_files(server)
        # Its turn is another's.
        (notes / "go").touch()
        assert await _preview(client, document) == b"%PDF-preview"
