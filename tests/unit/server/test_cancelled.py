"""Who is cancelled while a thread works for it: nothing stays open, and nothing is closed under the thread."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from terminal_server.app import create_app
from terminal_server.auth import load_keys
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

    def __call__(self, *arguments: Any) -> Any:
        self.reached.set()
        assert self.opened.wait(DEADLINE_SECONDS)
        return self._function(*arguments)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """The application alone, since a server cancels requests only when it stops."""
    settings = from_environment({}, {"home": tmp_path / "home", "api_key": "key"})
    return create_app(settings, keys=load_keys(settings)[0], variables={})


async def _call(
    app: FastAPI, method: str, path: str, body: bytes = b"", *, query: dict[str, str], **headers: str
) -> dict[str, str]:
    """Call as the HTTP server does; return the headers of the answer."""
    answer: dict[str, str] = {}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] < 300
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
    path = f"/files/{begun['location']}"
    kind = "application/offset+octet-stream"
    await _call(app, "PATCH", path, b"new", query={}, upload_offset="0", content_type=kind)


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
