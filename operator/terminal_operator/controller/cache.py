"""The operator's memory of the cluster: the newest version seen of every object it watches.

Fed from three sides (watch events, answers to the operator's own writes, and a periodic list), which may arrive in
any order: the newer resource version wins. Source for comparing them as numbers: KEP-5504.
"""

from collections import OrderedDict
from typing import Any, NamedTuple

from terminal_operator.api.group import API_VERSION, DEFAULT_CLASS_ANNOTATION, TERMINAL_LABEL
from terminal_operator.kube.cluster import Listing
from terminal_operator.kube.kinds import CHILDREN, TERMINAL, TERMINAL_CLASS, Kind, kind_of

Manifest = dict[str, Any]
_REMEMBERED_DELETIONS = 10_000


class Key(NamedTuple):
    """Which Terminal."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class _Address(NamedTuple):
    namespace: str
    name: str


class Cache:
    """Objects by kind, namespace and name. What it returns is shared: nobody changes it."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[_Address, Manifest]] = {}
        self._deleted: OrderedDict[str, int] = OrderedDict()

    def observe(self, manifest: Manifest) -> bool:
        """Remember an object as it is now; returns whether that is news."""
        kind, address = kind_of(manifest), _address(manifest)
        metadata = manifest["metadata"]
        if self._deleted.get(metadata["uid"], -1) >= _version(manifest):
            return False
        known = self._objects.setdefault(kind, {}).get(address)
        if known is not None and _version(known) >= _version(manifest):
            return False
        slim = {key: value for key, value in metadata.items() if key != "managedFields"}
        self._objects[kind][address] = {**manifest, "metadata": slim}
        return True

    def forget(self, manifest: Manifest) -> None:
        """Remember that an object is gone; another of the same name stays."""
        uid, version = manifest["metadata"]["uid"], _version(manifest)
        # An object that only lost the label it is watched by is told of as deleted, and may come back.
        self._deleted[uid] = max(version, self._deleted.get(uid, -1))
        if len(self._deleted) > _REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        objects, address = self._objects.get(kind_of(manifest), {}), _address(manifest)
        known = objects.get(address)
        if known is not None and known["metadata"]["uid"] == uid and _version(known) <= version:
            del objects[address]

    def replace(self, kind: Kind, listing: Listing) -> list[Manifest]:
        """Take over a complete list; returns what it added, changed or removed.

        What the list lacks is gone, unless it was seen after the list was made.
        """
        news = [item for item in listing.items if self.observe(item)]
        listed = {_address(item) for item in listing.items}
        gone = [
            manifest
            for address, manifest in self._objects.get(kind, {}).items()
            if address not in listed and _version(manifest) <= int(listing.resource_version)
        ]
        for manifest in gone:
            self.forget(manifest)
        return news + gone

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Return an object as last seen."""
        return self._objects.get(kind, {}).get(_Address(namespace, name))

    def terminal(self, key: Key) -> Manifest | None:
        """Return a Terminal as last seen."""
        return self.get(TERMINAL, key.namespace, key.name)

    def terminals(self) -> list[Key]:
        """Return the keys of all Terminals."""
        return [Key(*address) for address in self._objects.get(TERMINAL, {})]

    def terminal_class(self, name: str | None) -> Manifest | None:
        """Return the class of that name, or for None the default one; of several defaults the newest.

        Source: as StorageClass does it,
        https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
        """
        if name is not None:
            return self.get(TERMINAL_CLASS, "", name)
        defaults = [
            manifest
            for manifest in self._objects.get(TERMINAL_CLASS, {}).values()
            if (manifest["metadata"].get("annotations") or {}).get(DEFAULT_CLASS_ANNOTATION) == "true"
        ]
        return max(
            defaults,
            key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]),
            default=None,
        )


def key_of(manifest: Manifest) -> Key | None:
    """Return the Terminal an object belongs to, a Terminal to itself, and None for a class.

    A child belongs to its owner, whatever somebody wrote into its label; one without an owner to its label's.
    """
    kind, metadata = kind_of(manifest), manifest["metadata"]
    if kind == TERMINAL:
        return Key(metadata["namespace"], metadata["name"])
    if kind in CHILDREN:
        name = _owner_name(metadata) or (metadata.get("labels") or {}).get(TERMINAL_LABEL)
        return Key(metadata["namespace"], name) if name else None
    return None


def _owner_name(metadata: Manifest) -> str | None:
    for reference in metadata.get("ownerReferences") or ():
        if (reference["apiVersion"], reference["kind"]) == (API_VERSION, TERMINAL.name):
            return str(reference["name"])
    return None


def _address(manifest: Manifest) -> _Address:
    metadata = manifest["metadata"]
    return _Address(metadata.get("namespace", ""), metadata["name"])


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
