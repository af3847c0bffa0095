"""A Terminal on the cluster, from outside: its object, its children, its shell."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from tests.e2e.kit.api import CHILD_KINDS, Manifest
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.waiting import DEADLINE_SECONDS, until

OWNED = "app.kubernetes.io/managed-by=terminal-operator"


def terminal_manifest(name: str, **spec: Any) -> Manifest:
    """Return a Terminal as a user would write it."""
    return {
        "apiVersion": "terminal-operator.dev/v1alpha1",
        "kind": "Terminal",
        "metadata": {"name": name},
        "spec": {"user": f"{name}@example.com", **spec},
    }


@dataclass(frozen=True)
class Terminal:
    """One Terminal by namespace and name."""

    cluster: Cluster
    namespace: str
    name: str

    @property
    def base(self) -> str:
        """The name of pod, Service, NetworkPolicy and route."""
        return f"terminal-{self.name}"

    def child_name(self, plural: str) -> str:
        """The name of a child of that kind."""
        return {"secrets": f"{self.base}-key", "persistentvolumeclaims": f"{self.base}-home"}.get(
            plural, self.base
        )

    async def read(self) -> Manifest:
        """Return the object."""
        found = await self.cluster.api.get("terminals", self.namespace, self.name)
        assert found is not None, f"no Terminal {self.name}"
        return found

    async def status(self) -> Manifest:
        """Return its status."""
        status: Manifest = (await self.read()).get("status") or {}
        return status

    async def condition(self, kind: str) -> Manifest:
        """Return one of its conditions, empty where it is not there."""
        conditions: list[Manifest] = (await self.status()).get("conditions") or []
        return next((each for each in conditions if each["type"] == kind), {})

    async def until_condition(
        self, kind: str, status: str, reason: str | None = None, *, within: float = DEADLINE_SECONDS
    ) -> Manifest:
        """Wait for a condition of the present generation, and return it."""

        async def probe() -> Manifest | None:
            terminal = await self.read()
            for each in terminal.get("status", {}).get("conditions", ()):
                if (each["type"], each["status"]) == (kind, status) and reason in {None, each["reason"]}:
                    current = each["observedGeneration"] == terminal["metadata"]["generation"]
                    return each if current else None
            return None

        wanted = f"{kind}={status}" + (f" ({reason})" if reason else "")
        return await until(
            probe, f"{self.namespace}/{self.name} is {wanted}", within=within, story=self.story
        )

    async def until_ready(self, *, within: float = DEADLINE_SECONDS) -> Shell:
        """Wait until the Terminal is Ready and answers through the ingress; returns its shell.

        Right after a change of its children the condition may still be that of before, so the answer is waited for as
        long as a start may take.
        """
        await self.until_condition("Ready", "True", within=within)
        shell = await self.shell()
        what = f"{shell.url}/health answers through the ingress"
        await until(shell.is_healthy, what, within=within, story=self.story)
        return shell

    async def shell(self) -> Shell:
        """Return the shell at the Terminal's URL, opened with the Terminal's key."""
        return Shell(
            self.cluster.http, self.cluster.ingress_port, (await self.status())["url"], await self.key()
        )

    async def key(self) -> str:
        """Return the key, from the Secret that the status names."""
        secret = await self.cluster.api.get("secrets", self.namespace, (await self.status())["keySecretName"])
        assert secret is not None
        return base64.b64decode(secret["data"]["api-key"]).decode()

    async def pod(self) -> Manifest:
        """Return the pod."""
        return await self.child("pods")

    async def child(self, plural: str) -> Manifest:
        """Return the child of a kind."""
        found = await self.find_child(plural)
        assert found is not None, f"{self.namespace}/{self.name} has no {plural}\n{await self.story()}"
        return found

    async def find_child(self, plural: str) -> Manifest | None:
        """Return the child of a kind, or None."""
        return await self.cluster.api.get(plural, self.namespace, self.child_name(plural))

    async def until_child(self, plural: str, *, other_than: str) -> Manifest:
        """Wait until there is a child of that kind with another uid, not on its way out; returns it."""

        async def probe() -> Manifest | None:
            child = await self.find_child(plural)
            new = child and child["metadata"]["uid"] != other_than
            return child if new and "deletionTimestamp" not in child["metadata"] else None  # type: ignore[index]

        what = f"{self.namespace}/{self.name} has a new one of {plural}"
        return await until(probe, what, story=self.story)

    async def delete_pod(self) -> None:
        """Delete the pod, and wait until another has taken its place and answers."""
        uid = (await self.pod())["metadata"]["uid"]
        await self.cluster.kubectl("delete", "pod", self.base, "--namespace", self.namespace, "--wait=false")
        await self.until_child("pods", other_than=uid)
        await self.until_ready()

    async def story(self) -> str:
        """Tell what went on in the namespace."""
        return await self.cluster.story(self.namespace)


async def children_in(cluster: Cluster, namespace: str) -> dict[str, list[str]]:
    """Return the names of all that the operator made in a namespace, by kind, kinds without any left out."""
    lists = await asyncio.gather(*(cluster.api.list(plural, namespace, OWNED) for plural in CHILD_KINDS))
    names = {
        plural: sorted(item["metadata"]["name"] for item in items)
        for plural, items in zip(CHILD_KINDS, lists, strict=True)
    }
    return {plural: found for plural, found in names.items() if found}
