"""A TerminalClass of a test's own, or of several tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.e2e.kit.api import ApiError, Manifest
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import MADE_BY_TESTS


async def default_class(cluster: Cluster) -> Manifest:
    """Return the class that the chart made."""
    default = await cluster.api.get("terminalclasses", None, "default")
    assert default is not None
    return default


@asynccontextmanager
async def new_class(cluster: Cluster, name: str, **spec: Any) -> AsyncIterator[str]:
    """Make a class that is the default one but for `spec`; removed at the end."""
    await _create(cluster, name, spec)
    try:
        yield name
    finally:
        await cluster.api.delete("terminalclasses", None, name)


async def shared_class(cluster: Cluster, name: str, **spec: Any) -> str:
    """See that there is such a class, whoever makes it; the next run of the tests removes it."""
    with suppress(ApiError):  # another worker was faster
        await _create(cluster, name, spec)
    return name


async def _create(cluster: Cluster, name: str, spec: Manifest) -> None:
    default = await default_class(cluster)
    await cluster.api.create(
        "terminalclasses",
        None,
        {
            "apiVersion": "terminal-operator.dev/v1alpha1",
            "kind": "TerminalClass",
            "metadata": {"name": name, "labels": {MADE_BY_TESTS: "true"}},
            "spec": {**default["spec"], **spec},
        },
    )
