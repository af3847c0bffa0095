"""A cluster with the operator in it, and a namespace of its own for every test.

Tests run side by side (`-n 4`); those marked `alone` change the operator itself, so nothing else runs meanwhile.
"""

import os
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from localcluster import imagelist

from tests.e2e.kit.api import connect
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import Namespace, new_namespace, shared_namespace
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.provision import provide, provide_image, turn
from tests.e2e.kit.shell import Shell

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"run-{os.getpid()}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "alone: disturbs every Terminal, so that no other test may run meanwhile"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the cluster to themselves come last, one after the other; all have time to wait for a turn."""
    for item in items:
        waits = "my_turn" in getattr(item, "fixturenames", ())
        if waits and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(900))
    items.sort(key=lambda item: item.get_closest_marker("alone") is not None)


@pytest.fixture(scope="session")
def provided() -> None:
    """The cluster is up, and the operator is in it."""
    provide(_RUN)


@pytest.fixture(scope="session")
def full_image(provided: None) -> str:  # noqa: ARG001 - its effect is wanted
    """The full image, which is in the node."""
    provide_image(_RUN, "terminal-full")
    return imagelist.find("terminal-full").name


@pytest.fixture
def my_turn(request: pytest.FixtureRequest, provided: None) -> Iterator[None]:  # noqa: ARG001 - its effect is wanted
    """Nothing that this test and another could disturb in each other runs at the same time."""
    with turn(alone=request.node.get_closest_marker("alone") is not None):
        yield


@pytest.fixture
async def cluster(my_turn: None) -> AsyncIterator[Cluster]:  # noqa: ARG001 - its effect is wanted
    """The cluster under test."""
    timeout = aiohttp.ClientTimeout(total=300)
    async with connect() as api, aiohttp.ClientSession(timeout=timeout) as http:
        yield Cluster(api, http)


@pytest.fixture
def operator(cluster: Cluster) -> Operator:
    """The operator under test."""
    return Operator(cluster)


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[Namespace]:
    """A namespace of the test's own."""
    async with new_namespace(cluster) as made:
        yield made


@pytest.fixture
async def shared(cluster: Cluster) -> Namespace:
    """A namespace for Terminals that tests only look at: `alice` and `bob`."""
    return await shared_namespace(cluster, _RUN)


@pytest.fixture
async def alice(shared: Namespace) -> Shell:
    """Alice's shell, which tests leave as they found it."""
    return await shared.look_at("alice")


@pytest.fixture
async def bob(shared: Namespace) -> Shell:
    """Bob's shell, which tests leave as they found it."""
    return await shared.look_at("bob")
