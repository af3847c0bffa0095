"""Who is cancelled while a thread works for it: nothing stays open, and nothing is closed under the thread.

Nor does anything of what fails.
"""

import asyncio
import base64
import contextlib
import errno
import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from starlette.types import Message
from terminal_server.app import create_app
from terminal_server.auth import load_keys
from terminal_server.engine import Engine, Program
from terminal_server.files.preview import Previews
from terminal_server.isolated import Few
from terminal_server.settings import from_environment

from tests.contract.running import DEADLINE_SECONDS, names, until

_FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\nnew\r\n--b--\r\n'
_LONG_ENOUGH_SECONDS = 0.5
"""In which what must not happen would have happened."""


class _Gate:
    """Stands in for a function, and holds up who calls it until it is opened."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.reached = Event()
        self.opened = Event()
        self.left = Event()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.reached.set()
        assert self.opened.wait(DEADLINE_SECONDS)
        try:
            return self._function(*arguments, **options)
        finally:
            self.left.set()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """The application alone, since a server cancels requests only when it stops."""
    settings = from_environment({}, {"home": tmp_path / "home", "api_key": "key"})
    return create_app(settings, keys=load_keys(settings)[0], variables={})


async def _call(
    app: FastAPI, method: str, path: str, body: bytes = b"", *, query: dict[str, str], **headers: str
) -> dict[str, str]:
    """Call as the HTTP server does; return the status and the headers of the answer."""
    answer: dict[str, str] = {}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.update({"status": str(message["status"])})
            answer.update({name.decode(): value.decode() for name, value in message["headers"]})

    headers |= {"authorization": "Bearer key", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": urlencode(query).encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return answer


async def _upload(app: FastAPI, folder: Path) -> None:
    kind = "multipart/form-data; boundary=b"
    await _call(app, "POST", "/files/upload", _FORM, query={"dir": str(folder)}, content_type=kind)


async def _resumable_upload(app: FastAPI, folder: Path) -> None:
    name = f"filename {base64.b64encode(b'file').decode()}"
    query = {"directory": str(folder)}
    begun = await _call(app, "POST", "/files/tus", query=query, upload_length="3", upload_metadata=name)
    await _continue(app, f"/files/{begun['location']}")


async def _continue(app: FastAPI, path: str) -> dict[str, str]:
    kind = "application/offset+octet-stream"
    return await _call(app, "PATCH", path, b"new", query={}, upload_offset="0", content_type=kind)


@pytest.mark.parametrize("upload", [_upload, _resumable_upload])
async def test_a_file_that_is_being_completed_is_closed_only_when_it_is(
    app: FastAPI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    upload: Callable[[FastAPI, Path], Awaitable[None]],
) -> None:
    synced: list[str] = []

    def sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    gate = _Gate(sync)
    monkeypatch.setattr(os, "fsync", gate)
    call = asyncio.ensure_future(upload(app, tmp_path / "folder"))
    await until(gate.reached.is_set, "the file is being completed")
    unfinished = names(tmp_path / "folder")
    call.cancel()
    await asyncio.wait([call], timeout=_LONG_ENOUGH_SECONDS)
    gate.opened.set()
    await asyncio.gather(call, return_exceptions=True)
    assert synced == unfinished
    assert names(tmp_path / "folder") == ["file"]
    assert (tmp_path / "folder" / "file").read_text() == "new"


@pytest.mark.parametrize(
    "path", ["/files/read", "/files/view", "/files/download/link", "/files/upload", "/files/tus"]
)
async def test_a_file_that_a_thread_opens_is_closed_when_nobody_waits_for_it_any_more(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file"
    file.write_text("old")
    calling: Coroutine[Any, Any, object]
    if path == "/files/upload":
        calling = _upload(app, folder)
    elif path == "/files/tus":
        upload = app.state.services.files.uploads.begin(folder / "other", 3)
        calling = _continue(app, f"{path}/{upload.id}")
    else:
        calling = _call(app, "GET", path, query={"path": str(file)})
    before = names(folder)
    gate = _Gate(os.open)
    monkeypatch.setattr(os, "open", gate)
    call = asyncio.ensure_future(calling)
    await until(gate.reached.is_set, "the file is being opened")
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    gate.opened.set()
    await until(gate.left.is_set, "the file is open")
    await until(lambda: not _open_in(folder), "it is closed")
    assert names(folder) == before


async def test_an_upload_that_cannot_be_completed_leaves_nothing_open(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = app.state.services.files.uploads.begin(tmp_path / "taken", 3)
    (tmp_path / "taken").mkdir()
    assert (await _continue(app, f"/files/tus/{upload.id}"))["status"] == "409"

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    query = {"directory": str(tmp_path)}
    name = f"filename {base64.b64encode(b'file').decode()}"
    answer = await _call(app, "POST", "/files/tus", query=query, upload_length="0", upload_metadata=name)
    assert answer["status"] == "507"
    assert not _open_in(tmp_path)


async def test_a_preview_is_closed_when_nobody_waits_for_the_last_step_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "soffice").write_text("")
    (tmp_path / "soffice").chmod(0o755)
    work: list[Path] = []

    async def run(_few: object, program: Program) -> None:
        work.append(program.cwd)
        (program.cwd / "a.pdf").touch()

    monkeypatch.setattr(Few, "run", run)
    gate = _Gate(shutil.rmtree)
    monkeypatch.setattr(shutil, "rmtree", gate)
    engine = SimpleNamespace(environment={"PATH": str(tmp_path)})

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    previews = Previews(cast("Engine", engine), tmp_path)
    making = asyncio.ensure_future(previews.rendered(tmp_path / "a.docx", receive))
    await until(gate.reached.is_set, "all is done but to tidy up")
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)
    gate.opened.set()
    await until(gate.left.is_set, "that is done")
    await until(lambda: not _open_in(tmp_path), "the preview is closed")
    assert not work[0].exists()


def _open_in(folder: Path) -> list[Path]:
    """What is open of a folder in this process."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(descriptor.readlink())
    return [path for path in found if path.is_relative_to(folder)]
