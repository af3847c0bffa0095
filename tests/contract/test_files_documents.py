"""Documents as text, and the comparison of files: by a process of its own, which may fail without harm."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import documents
from tests.contract.running import Client, connected, running, until

TEXTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.docx": (documents.docx, "Hello\twörld\nnew\na\tb c\n"),
    "a.pptx": (documents.pptx, "--- Slide 1 ---\nfirst\n--- Slide 2 ---\nsecond\n"),
    "a.xlsx": (documents.xlsx, "--- Numbers ---\nname\t1\nx\t2.5\n"),
    "a.odt": (documents.odt, "Title\na\tb c\nd\n1\t2\n"),
    "a.odp": (documents.odp, "--- Slide 1 ---\none\n--- Slide 2 ---\ntwo\n"),
    "a.ods": (documents.ods, "--- S ---\na\tb\n"),
    "a.epub": (documents.epub, "First\nsome & more text\nSecond\nsome & more text\n"),
    "a.PDF": (documents.pdf, "Hello from a page\n"),
    "a.rtf": (documents.rtf, "Hello bold\ncafé\n"),
}


async def read(client: Client, path: Path, status: int = 200, **lines: int) -> Any:
    return await client.json("GET", "/files/read", status, params={"path": str(path), **lines})


@pytest.mark.parametrize("name", TEXTS)
async def test_a_document_is_read_as_text(client: Client, tmp_path: Path, name: str) -> None:
    make, text = TEXTS[name]
    (tmp_path / name).write_bytes(make())
    answer = await read(client, tmp_path / name)
    assert answer["content"].rstrip("\n") == text.rstrip("\n")
    assert answer["path"] == str(tmp_path / name)
    assert answer["total_lines"] == answer["content"].count("\n")


async def test_lines_of_a_document_can_be_asked_for(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.pptx").write_bytes(documents.pptx())
    answer = await read(client, tmp_path / "a.pptx", start_line=2, end_line=3)
    assert (answer["content"], answer["total_lines"]) == ("first\n--- Slide 2 ---\n", 4)


async def test_a_text_with_the_name_of_a_document_is_a_text(client: Client, tmp_path: Path) -> None:
    (tmp_path / "plain.pdf").write_text("plain\n")
    assert (await read(client, tmp_path / "plain.pdf"))["content"] == "plain\n"


async def test_a_documents_text_that_is_too_long_is_refused_and_never_cut(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(documents.docx("<w:p><w:r><w:t>0123456789</w:t></w:r></w:p>" * 100))
    with running(tmp_path / "server", TERMINAL_SERVER_READ_LIMIT_BYTES="1000") as server:
        async with connected(server) as client:
            assert "start_line" in (await read(client, tmp_path / "a.docx", 413))["detail"]
            answer = await read(client, tmp_path / "a.docx", start_line=100)
            assert (answer["content"], answer["total_lines"]) == ("0123456789\n", 100)


@pytest.mark.parametrize("name", documents.BOMBS)
async def test_a_document_that_would_take_everything_is_refused(
    client: Client, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(await asyncio.to_thread(documents.BOMBS[name]))
    async with client.request("GET", "/files/read", params={"path": str(tmp_path / name)}) as response:
        assert response.status in {413, 422}, await response.text()
        detail = (await response.json())["detail"]
    assert detail
    assert "root:" not in detail


async def test_others_are_served_while_documents_are_read_and_the_server_stays_small(tmp_path: Path) -> None:
    bomb = await asyncio.to_thread(documents.BOMBS["zip.docx"])
    for number in range(4):
        (tmp_path / f"{number}.docx").write_bytes(bomb)
    (tmp_path / "slow.docx").write_bytes(await asyncio.to_thread(documents.slow_docx))
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            # The others are read in a moment, this one as long as the test looks.
            slow = asyncio.create_task(read(client, tmp_path / "slow.docx"))
            await until(lambda: workers(server.process.pid), "a document is read")
            reading = [
                asyncio.create_task(read(client, tmp_path / f"{number}.docx", 422)) for number in range(4)
            ]
            await client.json("GET", "/health")
            assert read_keys(server.process.pid) == []
            assert not slow.done()
            slow.cancel()
            await asyncio.gather(*reading)
        assert server.memory_peak() < 90e6


def workers(pid: int) -> list[int]:
    """The processes that read documents."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
            line = (path.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == pid and b"terminal_server.documents" in line:
            found.append(int(path.parent.name))
    return found


def read_keys(pid: int) -> list[bytes]:
    """What the workers' environments hold that looks like the server's own."""
    found = []
    for worker in workers(pid):
        try:
            lines = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [line for line in lines if line.startswith((b"TERMINAL_SERVER_", b"OPEN_TERMINAL_"))]
    return found


async def test_a_client_that_leaves_ends_the_reading(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(await asyncio.to_thread(documents.slow_docx))
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            reading = asyncio.create_task(read(client, tmp_path / "a.docx"))
            await until(lambda: workers(server.process.pid), "the document is read")
            reading.cancel()
            await until(lambda: not workers(server.process.pid), "nobody reads it any more")


async def compare(client: Client, folder: Path, status: int = 200, **options: object) -> Any:
    body = {"original": str(folder / "old"), "revised": str(folder / "new"), **options}
    return await client.json("POST", "/files/compare", status, json=body)


async def test_files_are_compared_line_by_line(client: Client, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("".join(f"{number}\n" for number in range(1, 21)))
    (tmp_path / "new").write_text("".join(f"{number}\n" for number in range(1, 21) if number != 3) + "a b\n")
    answer = await compare(client, tmp_path)
    assert (answer["additions"], answer["deletions"]) == (1, 1)
    assert answer["original"] == {"path": str(tmp_path / "old"), "name": "old", "notices": []}
    assert [hunk["header"] for hunk in answer["hunks"]] == ["@@ -1,6 +1,5 @@", "@@ -18,3 +17,4 @@"]
    removed = answer["hunks"][0]["lines"][2]
    assert removed == {
        "type": "removed",
        "oldNumber": 3,
        "newNumber": None,
        "content": "3",
        "segments": [{"text": "3", "changed": False}],
    }
    context = answer["hunks"][0]["lines"][3]
    assert (context["type"], context["oldNumber"], context["newNumber"]) == ("context", 4, 3)
    assert (context["content"], context["revisedContent"]) == ("4", "4")


async def test_words_that_differ_are_marked(client: Client, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("one two three\n")
    (tmp_path / "new").write_text("one 2 three\n")
    removed, added = (await compare(client, tmp_path))["hunks"][0]["lines"]
    assert removed["segments"] == [
        {"text": "one ", "changed": False},
        {"text": "two", "changed": True},
        {"text": " three", "changed": False},
    ]
    assert added["segments"][1] == {"text": "2", "changed": True}


async def test_white_space_and_line_ends_need_not_count(client: Client, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"a b\r\nc\r\n")
    (tmp_path / "new").write_bytes(b"ab\nc")
    assert (await compare(client, tmp_path))["additions"] == 1
    assert (await compare(client, tmp_path, ignore_whitespace=True))["hunks"] == []


async def test_documents_are_compared_by_their_text(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(documents.docx())
    (tmp_path / "b.docx").write_bytes(documents.docx("<w:p><w:r><w:t>Hello</w:t></w:r></w:p>"))
    body = {"original": str(tmp_path / "a.docx"), "revised": str(tmp_path / "b.docx")}
    answer = await client.json("POST", "/files/compare", json=body)
    assert (answer["additions"], answer["deletions"]) == (1, 3)
    assert answer["original"]["notices"]


@pytest.mark.parametrize(
    ("old", "status"),
    [(None, 404), (b"\0\1", 415), (b"x\n" * 50_001, 413), (b"x" * 9_000_000, 413)],
)
async def test_what_cannot_be_compared_is_said(
    client: Client, tmp_path: Path, old: bytes | None, status: int
) -> None:
    (tmp_path / "new").write_text("x")
    if old is not None:
        (tmp_path / "old").write_bytes(old)
    await compare(client, tmp_path, status)


async def test_a_comparison_that_would_take_for_ever_ends_and_nobody_waits(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "old").write_text("".join(f"{number % 7}\n" for number in range(50_000)))
    (tmp_path / "new").write_text("".join(f"{number % 5}\n" for number in range(50_000)))
    os.mkfifo(tmp_path / "fifo")
    comparing = asyncio.create_task(compare(client, tmp_path, 422))
    await client.json("GET", "/health")
    body = {"original": str(tmp_path / "fifo"), "revised": str(tmp_path / "new")}
    await client.json("POST", "/files/compare", 400, json=body)
    assert "time" in (await comparing)["detail"]
