"""The operator's view of a cluster: the few verbs that reconciling needs."""

from dataclasses import dataclass
from typing import Any, Protocol

from terminal_operator.kube.kinds import Kind

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """All objects of a kind at one moment."""

    items: list[Manifest]
    resource_version: str


class Cluster(Protocol):
    """Every call has a deadline and raises only errors of `terminal_operator.kube.errors`."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object, and only create: AlreadyExistsError where one of that name is there."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply over an object that exists: ConflictError where it is not of the manifest's uid."""

    async def merge(self, manifest: Manifest) -> Manifest:
        """Merge the manifest's fields, and nothing else, into exactly the version of the object that it names."""

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Server-side apply of the status of exactly the version of the object that the manifest names."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Return an object, or None where there is none."""

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete exactly the object with that uid; nothing happens where it is gone."""

    async def list(self, kind: Kind, label_selector: str) -> Listing:
        """Return all objects of a kind, none where the cluster does not know the kind."""
