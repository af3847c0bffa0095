"""Clusters of the tests' own, on ports of their own."""

from collections.abc import Iterator

import pytest
from localcluster import hosttools

from tests.cluster.clusters import Cluster
from tests.contract.running import free_port


def _clusters(name: str) -> Iterator[Cluster]:
    if hosttools.docker_answers():
        pytest.skip("a Docker engine answers: clusters here are made by kind, not by us")
    cluster = Cluster(name, free_port(), free_port())
    cluster.run("down")  # of an interrupted run of these tests
    yield cluster
    cluster.do("down")


@pytest.fixture(scope="session")
def first() -> Iterator[Cluster]:
    """A cluster that tests bring up, harm and repair."""
    yield from _clusters("ctest-one")


@pytest.fixture(scope="session")
def second() -> Iterator[Cluster]:
    """Another one beside it."""
    yield from _clusters("ctest-two")


@pytest.fixture
def cluster(first: Cluster) -> Cluster:
    """The first cluster, up and whole whatever the test before did to it."""
    if not first.is_up():
        first.do("up")
    return first
