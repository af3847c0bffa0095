"""A TerminalClass of a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.kit.api import Manifest
from tests.e2e.kit.cluster import Cluster


async def default_class(cluster: Cluster) -> Manifest:
    """Return the class that the chart made."""
    default = await cluster.api.get("terminalclasses", None, "default")
    assert default is not None
    return default


@asynccontextmanager
async def new_class(cluster: Cluster, name: str, **spec: Any) -> AsyncIterator[str]:
    """Make a class that is the default one but for `spec`; removed at the end."""
    default = await default_class(cluster)
    await cluster.api.create(
        "terminalclasses",
        None,
        {
            "apiVersion": "terminal-operator.dev/v1alpha1",
            "kind": "TerminalClass",
            "metadata": {"name": name},
            "spec": {**default["spec"], **spec},
        },
    )
    try:
        yield name
    finally:
        await cluster.api.delete("terminalclasses", None, name)
