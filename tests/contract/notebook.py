"""A client of notebooks."""

import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.contract.running import Client, until


def cell(source: str | list[str], name: str | None = None, kind: str = "code") -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if name is not None:
        made["id"] = name
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def write(path: Path, *cells: dict[str, Any], **metadata: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text())["cells"]
    assert isinstance(cells, list)
    return cells


def text_of(answer: dict[str, Any], name: str = "stdout") -> str:
    return "".join(output["text"] for output in answer["outputs"] if output.get("name") == name)


class Gate:
    """What a cell waits at until it is opened: a pipe that it reads to its end."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "gate"
        self._writing = -1
        os.mkfifo(self._path)
        self.wait = f"open({str(self._path)!r}).read()"
        """The code that waits."""

    async def reached(self) -> None:
        """Wait until the cell waits."""
        await until(self._is_read, "the cell waits")

    def open(self) -> None:
        """Let the cell go on."""
        os.close(self._writing)

    def _is_read(self) -> bool:
        with contextlib.suppress(OSError):
            self._writing = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        return self._writing >= 0


class Notebook:
    """One that is open."""

    def __init__(self, client: Client, answer: dict[str, Any]) -> None:
        self.client = client
        self.answer = answer
        self.url = f"/notebooks/{answer['id']}"

    async def run(self, index: int, source: str | None = None, status: int = 200) -> Any:
        """Run a cell."""
        body = {"cell_index": index} | ({"source": source} if source is not None else {})
        return await self.client.json("POST", f"{self.url}/execute", status, json=body)

    async def status(self) -> str:
        """Whether it is ready, busy or dead."""
        return str((await self.client.json("GET", self.url))["status"])

    async def until(self, status: str) -> None:
        """Wait until it has a status."""

        async def has_it() -> bool:
            return await self.status() == status

        await until(has_it, f"the notebook is {status}")

    async def kernel(self) -> int:
        """The process id of its kernel."""
        return int(text_of(await self.run(0, "import os; print(os.getpid())")))


@contextlib.asynccontextmanager
async def opened(client: Client, path: Path | str, **options: Any) -> AsyncIterator[Notebook]:
    notebook = Notebook(client, await client.json("POST", "/notebooks", json={"path": str(path)}, **options))
    try:
        yield notebook
    finally:
        async with client.request("DELETE", notebook.url, **options) as response:
            assert response.status in {200, 404}
