"""A cluster, fake and real, for the same tests."""

import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kubernetes.aio.client import (
    ApiClient,
    Configuration,
    CoreV1Api,
    V1Namespace,
    V1ObjectMeta,
)
from kubernetes.aio.config import load_kube_config
from terminal_operator.kube.client import KubernetesCluster
from terminal_operator.kube.cluster import Cluster

from tests.cluster_protocol.fake import FakeCluster

REPOSITORY = Path(__file__).parents[2]
_ESTABLISHED_SECONDS = 30.0
_ALREADY_EXISTS = 409


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """The path of the kubeconfig of the cluster that `make test-e2e` brings up."""
    if configured := os.environ.get("KUBECONFIG"):
        return configured
    command = [str(REPOSITORY / "cluster" / "cluster"), "kubeconfig"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[ApiClient | None]:
    """A client of the real cluster, None for the fake one."""
    if request.param == "fake":
        yield None
        return
    configuration = Configuration()
    await load_kube_config(request.getfixturevalue("kubeconfig"), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield client


@pytest.fixture
def cluster(client: ApiClient | None) -> Cluster:
    """The cluster under test."""
    return FakeCluster() if client is None else KubernetesCluster(client)


@pytest.fixture
async def namespace(client: ApiClient | None) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = f"protocol-{uuid.uuid4().hex[:8]}"
    if client is None:
        yield name
        return
    core = CoreV1Api(client)
    await core.create_namespace(V1Namespace(metadata=V1ObjectMeta(name=name)))
    try:
        yield name
    finally:
        await core.delete_namespace(name)
