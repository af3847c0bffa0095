"""A namespace of a test's own, and the Terminals in it."""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.kit.api import ApiError
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.terminal import Terminal, terminal_manifest
from tests.e2e.kit.waiting import until

MADE_BY_TESTS = "terminal-operator.dev/e2e"


@dataclass(frozen=True)
class Namespace:
    """A namespace; its name has no hyphen, so that host names are the plain ones."""

    cluster: Cluster
    name: str

    def terminal(self, name: str) -> Terminal:
        """The Terminal of that name, there or not."""
        return Terminal(self.cluster, self.name, name)

    async def apply(self, name: str, **spec: Any) -> Terminal:
        """`kubectl apply` a Terminal, and do not wait."""
        await self.cluster.apply(self.name, terminal_manifest(name, **spec))
        return self.terminal(name)

    async def start(self, name: str, **spec: Any) -> tuple[Terminal, Shell]:
        """`kubectl apply` a Terminal and wait until it answers."""
        terminal = await self.apply(name, **spec)
        return terminal, await terminal.until_ready()

    async def start_all(self, *names: str, **spec: Any) -> list[tuple[Terminal, Shell]]:
        """Start several at once."""
        await self.cluster.apply(self.name, *(terminal_manifest(name, **spec) for name in names))
        shells = await asyncio.gather(*(self.terminal(name).until_ready() for name in names))
        return [(self.terminal(name), shell) for name, shell in zip(names, shells, strict=True)]

    async def look_at(self, name: str, **spec: Any) -> Shell:
        """Return the shell of a Terminal that several tests use, whoever of them makes it."""
        with contextlib.suppress(ApiError):  # another worker was faster
            await self.cluster.api.create("terminals", self.name, terminal_manifest(name, **spec))
        return await self.terminal(name).until_ready()

    async def story(self) -> str:
        """Tell what went on here."""
        return await self.cluster.story(self.name)


@asynccontextmanager
async def new_namespace(cluster: Cluster) -> AsyncIterator[Namespace]:
    """Make a namespace; it is removed at the end, and nobody waits for that."""
    namespace = Namespace(cluster, f"e2e{secrets.token_hex(4)}")
    try:
        await _make(namespace)
        yield namespace
    finally:
        await cluster.api.delete("namespaces", None, namespace.name)


async def shared_namespace(cluster: Cluster, run: str) -> Namespace:
    """Return the namespace that all tests of a run share."""
    namespace = Namespace(cluster, f"shared{hashlib.sha256(run.encode()).hexdigest()[:8]}")
    await _make(namespace)
    return namespace


async def _make(namespace: Namespace) -> None:
    api, name = namespace.cluster.api, namespace.name
    if await api.get("namespaces", None, name) is None:
        metadata = {"name": name, "labels": {MADE_BY_TESTS: "true"}}
        with contextlib.suppress(ApiError):  # another worker was faster
            await api.create(
                "namespaces", None, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            )

    async def has_account() -> bool:
        return await api.get("serviceaccounts", name, "default") is not None

    # No pod can be made before; a moment after the namespace it is there.
    await until(has_account, f"namespace {name} has its ServiceAccount")
