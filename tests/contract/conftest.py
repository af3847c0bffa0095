"""One real server per run of tests, and a client with its key."""

from collections.abc import AsyncIterator, Iterator

import pytest

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
