"""One real server per run of tests, a client with its key, and a notebook."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.notebook import Notebook, cell, opened, write
from tests.contract.running import Client, Server, connected, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with connected(server) as made:
        yield made


@pytest.fixture
async def stranger(server: Server) -> AsyncIterator[Client]:
    async with connected(server, key=None) as made:
        yield made


@pytest.fixture
async def one(client: Client, tmp_path: Path) -> AsyncIterator[Notebook]:
    async with opened(client, write(tmp_path / "one.ipynb", cell(""))) as notebook:
        yield notebook
