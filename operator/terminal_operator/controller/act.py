"""Carries out what a pass has decided, and finds out what is in the way of it."""

import asyncio
from datetime import timedelta
from typing import Any

from terminal_operator.api.models import Terminal
from terminal_operator.build.metadata import repair_labels
from terminal_operator.controller.cache import Cache, Key
from terminal_operator.decide.writes import (
    Apply,
    Create,
    Delete,
    Merge,
    Plan,
    Problem,
    Role,
    Write,
    owner_uid,
    stranger,
)
from terminal_operator.kube.cluster import Cluster
from terminal_operator.kube.errors import AlreadyExistsError, ConflictError, NotFoundError, RejectedError
from terminal_operator.kube.kinds import Kind, kind_of

Manifest = dict[str, Any]

# What must stand before a pod may start: nobody's shell runs without its policy, or waits for its key.
_BEFORE_POD: frozenset[Role] = frozenset({"key", "home", "policy"})
# The route needs its Service: a Gateway controller that sees it without one reports an error at first.
_FIRST: frozenset[Role] = _BEFORE_POD | {"service"}
# How the API server ends its refusal to create anything in a namespace that is being deleted.
_NAMESPACE_TERMINATING = "because it is being terminated"


class Actor:
    """Writes to the cluster, and what came of it into the cache and the plan's problems."""

    def __init__(self, *, cluster: Cluster, cache: Cache) -> None:
        self._cluster = cluster
        self._cache = cache
        # Objects met in the way of a creation: a watch does not show them, so they are looked at each time, rather
        # than run into again (a refused Service takes an address and gives it back).
        self._strangers: dict[Key, set[Kind]] = {}

    def forget(self, key: Key) -> None:
        """Forget a Terminal that is gone."""
        self._strangers.pop(key, None)

    async def act(self, plan: Plan, terminal: Terminal) -> None:
        """Carry a plan out: what the pod needs first, then the rest at the same time."""
        first = [write for write in plan.writes if write.role in _FIRST]
        rest = [write for write in plan.writes if write.role not in _FIRST]
        await self._write_all(first, plan, terminal)
        if any(problem.blocks for role, problem in plan.problems.items() if role in _BEFORE_POD):
            rest = [write for write in rest if not _is_new_pod(write)]
        await self._write_all(rest, plan, terminal)

    async def _write_all(self, writes: list[Write], plan: Plan, terminal: Terminal) -> None:
        """Make independent writes at once; all have ended before an error of one is raised."""
        results = await asyncio.gather(
            *(self._write(write, plan, terminal) for write in writes), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _write(self, write: Write, plan: Plan, terminal: Terminal) -> None:
        manifest = write.manifest
        try:
            match write:
                case Create():
                    await self._create(write, plan, terminal)
                case Apply():
                    self._cache.observe(await self._cluster.apply(manifest))
                case Merge():
                    self._cache.observe(await self._cluster.merge(manifest))
                case Delete():
                    await self._delete(manifest)
        except NotFoundError as error:
            if not isinstance(write, Create):
                self._forget(manifest)
                raise ConflictError("gone", error.kind, error.namespace, error.name) from error
            # The namespace is going away, or the kind is not installed.
            plan.problems[write.role] = Problem("NotFound", error.message)
        except RejectedError as error:
            # A home that cannot grow is still a home.
            grown = write.role == "home" and not isinstance(write, Create)
            reason = "NamespaceTerminating" if _NAMESPACE_TERMINATING in error.message else "Rejected"
            plan.problems[write.role] = Problem(reason, error.message, blocks=not grown)

    async def _create(self, write: Create, plan: Plan, terminal: Terminal) -> None:
        if kind_of(write.manifest) not in self._strangers.get(_key_of(terminal), ()):
            try:
                self._cache.observe(await self._cluster.create(write.manifest))
            except AlreadyExistsError:
                pass
            else:
                return
        await self._meet(write, plan, terminal)

    async def _delete(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        await self._cluster.delete(
            kind_of(manifest), metadata["namespace"], metadata["name"], metadata["uid"]
        )

    def _forget(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        known = self._cache.get(kind_of(manifest), metadata["namespace"], metadata["name"])
        if known is not None and known["metadata"]["uid"] == metadata["uid"]:
            self._cache.forget(known)

    async def _meet(self, write: Create, plan: Plan, terminal: Terminal) -> None:
        """Look at an object that is in the way of a creation: it is ours after all, or a stranger's."""
        manifest, kind = write.manifest, kind_of(write.manifest)
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        strangers = self._strangers.setdefault(_key_of(terminal), set())
        strangers.discard(kind)
        found = await self._cluster.get(kind, namespace, name)
        if found is None:
            raise ConflictError("gone again", kind.name, namespace, name)
        if owner_uid(found) == terminal.uid:
            # Not in the cache, so it has lost the labels that it is watched by, or was made a moment ago.
            repair = repair_labels(terminal, found)
            self._cache.observe(found if repair is None else await self._cluster.merge(repair))
            # With its labels it is seen again; the next pass compares the rest of it.
            plan.look_again = timedelta(0)
            return
        strangers.add(kind)
        plan.problems[write.role] = stranger(manifest, found)


def _is_new_pod(write: Write) -> bool:
    return isinstance(write, Create) and write.role == "pod"


def _key_of(terminal: Terminal) -> Key:
    return Key(terminal.namespace, terminal.name)
