"""A cluster in memory, for what the real one cannot be made to do on demand, and for speed.

It passes the same tests as the real one (test_protocol.py): versions, uids, conflicts, what an apply removes, label
selectors, and that empty fields are left out of answers.
"""

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from terminal_operator.kube.cluster import Listing, Manifest
from terminal_operator.kube.errors import AlreadyExistsError, ConflictError, NotFoundError
from terminal_operator.kube.kinds import EVENT, HTTP_ROUTE, TERMINAL, TERMINAL_CLASS, Kind, kind_of

Address = tuple[Kind, str, str]
Watcher = Callable[[str, Manifest], None]
Manifests = list[Manifest]
# Maps that the API replaces as a whole, as it does most lists.
_ATOMIC = frozenset({"selector", "podSelector", "namespaceSelector"})
_CUSTOM = (TERMINAL, TERMINAL_CLASS, HTTP_ROUTE)


@dataclass(frozen=True)
class Call:
    """One request as the cluster saw it."""

    verb: str
    kind: str
    name: str


Calls = list[Call]


@dataclass
class FakeCluster:
    """Implements `terminal_operator.kube.cluster.Cluster`."""

    calls: Calls = field(default_factory=list)
    before: Callable[[Call], None] = lambda _: None
    """Called before a request is carried out; what it raises is what the caller gets."""
    after: Callable[[Call], None] = lambda _: None
    """Called after a write was carried out: what it raises is an answer that got lost."""
    now: Callable[[], str] = lambda: "2026-01-01T00:00:00Z"
    _objects: dict[Address, Manifest] = field(default_factory=dict)
    _owned: dict[tuple[Address, str], Manifest] = field(default_factory=dict)
    _watchers: list[tuple[Kind, str, Watcher]] = field(default_factory=list)
    _versions: Any = field(default_factory=lambda: itertools.count(1))
    _version: int = 0

    # The protocol

    async def create(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        address = _address(manifest)
        call = self._called("create", address)
        if address[0] == EVENT:
            address = (EVENT, address[1], manifest["metadata"]["generateName"] + str(self._next()))
        if address in self._objects:
            raise AlreadyExistsError("already exists", address[0].name, *address[1:])
        self._owned[address, ""] = copy.deepcopy(manifest)
        created = self.put({**manifest, "metadata": {**manifest["metadata"], "name": address[2]}})
        self.after(call)
        return created

    async def apply(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        return self._apply(manifest, "")

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        return self._apply(manifest, "status")

    async def merge(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        address = _address(manifest)
        call = self._called("merge", address)
        live = self._live(address, manifest)
        if (
            manifest["metadata"].get("resourceVersion", live["metadata"]["resourceVersion"])
            != (live["metadata"]["resourceVersion"])
        ):
            raise ConflictError("the object has been modified", address[0].name, *address[1:])
        merged = self._replace(address, _merge_patch(live, manifest))
        self.after(call)
        return merged

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See Cluster."""
        address = (kind, namespace, name)
        self._called("get", address)
        return copy.deepcopy(self._objects.get(address))

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """See Cluster."""
        call = self._called("delete", (kind, namespace, name))
        live = self._objects.get((kind, namespace, name))
        if live is not None and live["metadata"]["uid"] == uid:
            self.remove(kind, namespace, name)
        self.after(call)

    async def list(self, kind: Kind, label_selector: str) -> Listing:
        """See Cluster."""
        self._called("list", (kind, "", ""))
        items = [
            copy.deepcopy(manifest)
            for address, manifest in self._objects.items()
            if address[0] == kind and _matches(manifest, label_selector)
        ]
        return Listing(items, str(self._version))

    # What tests do to it

    @property
    def writes(self) -> Calls:
        """Every request that was to change something, but Events."""
        return [call for call in self.calls if call.verb not in {"get", "list"} and call.kind != "Event"]

    def put(self, manifest: Manifest) -> Manifest:
        """Let somebody create an object; returns it as the API server would."""
        address = _address(manifest)
        live = _without_empty(manifest) if address[0] not in _CUSTOM else copy.deepcopy(manifest)
        version = self._next()
        live["metadata"] |= {
            "uid": live["metadata"].get("uid") or f"uid-{version}",
            "resourceVersion": str(version),
            "creationTimestamp": live["metadata"].get("creationTimestamp") or self.now(),
            "generation": 1,
        }
        self._objects[address] = live
        self._tell(address[0], None, live)
        return copy.deepcopy(live)

    def edit(self, kind: Kind, namespace: str, name: str, change: Callable[[Manifest], object]) -> Manifest:
        """Let somebody change an object in place."""
        address = (kind, namespace, name)
        live = copy.deepcopy(self._objects[address])
        change(live)
        return self._replace(address, live)

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Let an object be gone; one with finalizers only begins to go."""
        address = (kind, namespace, name)
        if self._objects[address]["metadata"].get("finalizers"):
            self.edit(*address, lambda live: live["metadata"].update(deletionTimestamp=self.now()))
            return
        before = self._objects.pop(address)
        for owned in [each for each in self._owned if each[0] == address]:
            del self._owned[owned]
        last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self._next())}}
        self._tell(kind, before, None, last)

    def collect_garbage(self) -> None:
        """Remove every object whose owner is gone."""
        uids = {manifest["metadata"]["uid"] for manifest in self._objects.values()}
        for address, manifest in list(self._objects.items()):
            owners = manifest["metadata"].get("ownerReferences") or ()
            if owners and not any(owner["uid"] in uids for owner in owners):
                self.remove(*address)

    def all(self, *kinds: Kind) -> Manifests:
        """Return every object, of some kinds."""
        return [
            copy.deepcopy(manifest)
            for (kind, _, _), manifest in self._objects.items()
            if not kinds or kind in kinds
        ]

    def one(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """Return an object that is there."""
        return copy.deepcopy(self._objects[kind, namespace, name])

    def watch(self, kind: Kind, label_selector: str, watcher: Watcher) -> None:
        """Tell of every change from now on; an object that leaves the selector is told of as deleted."""
        self._watchers.append((kind, label_selector, watcher))

    # Inside

    def _called(self, verb: str, address: Address) -> Call:
        call = Call(verb, address[0].name, address[2])
        self.calls.append(call)
        self.before(call)
        return call

    def _next(self) -> int:
        self._version = next(self._versions)
        return self._version

    def _live(self, address: Address, manifest: Manifest) -> Manifest:
        live = self._objects.get(address)
        if live is None:
            raise NotFoundError("not found", address[0].name, *address[1:])
        for field_name in ("uid", "resourceVersion"):
            known = live["metadata"][field_name]
            if manifest["metadata"].get(field_name, known) != known:
                raise ConflictError(f"another {field_name}", address[0].name, *address[1:])
        return copy.deepcopy(live)

    def _apply(self, manifest: Manifest, subresource: str) -> Manifest:
        address = _address(manifest)
        call = self._called("apply_status" if subresource else "apply", address)
        live = self._live(address, manifest)
        wanted = {"status": manifest.get("status")} if subresource else manifest
        _drop(live, self._owned.get((address, subresource), {}), wanted)
        self._owned[address, subresource] = copy.deepcopy(wanted)
        result = self._replace(address, _overlay(live, wanted))
        self.after(call)
        return result

    def _replace(self, address: Address, manifest: Manifest) -> Manifest:
        before = self._objects[address]
        live = _without_empty(manifest) if address[0] not in _CUSTOM else copy.deepcopy(manifest)
        if live != before:
            live["metadata"]["resourceVersion"] = str(self._next())
            if live.get("spec") != before.get("spec"):
                live["metadata"]["generation"] += 1
            self._objects[address] = live
            self._tell(address[0], before, live)
        return copy.deepcopy(live)

    def _tell(
        self, kind: Kind, before: Manifest | None, live: Manifest | None, last: Manifest | None = None
    ) -> None:
        for watched, selector, watcher in list(self._watchers):
            if watched != kind:
                continue
            was, is_now = (each is not None and _matches(each, selector) for each in (before, live))
            if is_now and live is not None:
                watcher("MODIFIED" if was else "ADDED", copy.deepcopy(live))
            elif was and before is not None:
                version = (last or live or before)["metadata"]["resourceVersion"]
                gone = {**before, "metadata": {**before["metadata"], "resourceVersion": version}}
                watcher("DELETED", copy.deepcopy(gone))


def _address(manifest: Manifest) -> Address:
    metadata = manifest["metadata"]
    return kind_of(manifest), metadata.get("namespace", ""), metadata.get("name", "")


def _matches(manifest: Manifest, selector: str) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    return all(
        labels.get(name) == value
        for name, _, value in (each.partition("=") for each in selector.split(","))
        if name
    )


def _merge_patch(live: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge_patch(result.get(name), value)
    return result


def _overlay(live: Any, wanted: Any) -> Any:
    """Lay a manifest over an object; lists are replaced as a whole."""
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        return copy.deepcopy(wanted)
    return live | {
        name: copy.deepcopy(value) if name in _ATOMIC else _overlay(live.get(name), value)
        for name, value in wanted.items()
    }


def _drop(live: Manifest, owned: Manifest, wanted: Manifest) -> None:
    """Remove the fields that the manager had set and sets no more."""
    for name, value in owned.items():
        if name not in wanted:
            live.pop(name, None)
        elif isinstance(value, dict) and isinstance(wanted[name], dict) and isinstance(live.get(name), dict):
            _drop(live[name], value, wanted[name])


def _without_empty(value: Any) -> Any:
    """Leave out empty lists and strings, as the API's built-in kinds do."""
    if isinstance(value, dict):
        return {name: _without_empty(each) for name, each in value.items() if each not in ("", [], None)}
    if isinstance(value, list):
        return [_without_empty(each) for each in value]
    return copy.deepcopy(value)
