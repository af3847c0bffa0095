"""Terminals, classes and settings as the operator's tests use them, and an operator on a fake cluster."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from terminal_operator.api.group import API_VERSION, DEFAULT_CLASS_ANNOTATION
from terminal_operator.api.models import Terminal, TerminalClass, parse_class, parse_terminal
from terminal_operator.controller.cache import Cache, Key
from terminal_operator.controller.controller import selector_of
from terminal_operator.controller.reconcile import Reconciler
from terminal_operator.kube.events import KubernetesEvents
from terminal_operator.kube.kinds import CLAIM, HTTP_ROUTE, POD, TERMINAL, WATCHED
from terminal_operator.settings import Settings

from tests.cluster_protocol.fake import FakeCluster

Manifest = dict[str, Any]

IMAGE = "registry.example.com/terminal:1"
KEY = Key("team", "alice")
START = datetime(2026, 1, 1, tzinfo=UTC)

RICH_CLASS: Manifest = {
    "image": IMAGE,
    "imagePullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "allowedImages": ["registry.example.com/teams/*"],
    "resources": {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "4Gi"},
    },
    "maxResources": {"cpu": 8, "memory": "16Gi", "ephemeral-storage": "10Gi"},
    "storage": {"size": "5Gi", "storageClassName": "fast"},
    "maxStorage": "100Gi",
    "env": [{"name": "LANG", "value": "C.UTF-8"}, {"name": "TEAM", "value": "platform"}],
    "network": {"egress": "Internet"},
    "overridable": ["image", "resources", "storage", "env", "network"],
    "runtimeClassName": "gvisor",
    "priorityClassName": "terminals",
    "nodeSelector": {"pool": "terminals"},
    "tolerations": [{"key": "terminals", "operator": "Exists", "effect": "NoSchedule"}],
}
RICH_TERMINAL: Manifest = {
    "user": "alice@example.com",
    "className": "rich",
    "image": "registry.example.com/teams/data:7",
    "resources": {"requests": {"cpu": 1}, "limits": {"memory": "8Gi"}},
    "storage": {"size": "20Gi"},
    "env": [
        {"name": "TEAM", "value": "data"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "alice"}}},
    ],
    "network": {
        "egress": "Custom",
        "allow": [{"cidr": "192.0.2.7/24", "ports": [443, 8443]}, {"cidr": "2001:db8::/32"}],
    },
}


def terminal_body(key: Key = KEY, *, uid: str = "uid-terminal", **spec: Any) -> Manifest:
    """Return a Terminal as the API server holds it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Terminal",
        "metadata": {"namespace": key.namespace, "name": key.name, "uid": uid, "generation": 1},
        "spec": {"user": "alice@example.com", **spec},
    }


def class_body(name: str = "default", *, default: bool = True, **spec: Any) -> Manifest:
    """Return a TerminalClass as the API server holds it."""
    annotations = {DEFAULT_CLASS_ANNOTATION: "true"} if default else {}
    metadata = {"name": name, "uid": f"uid-{name}", "annotations": annotations}
    spec = {"image": IMAGE, **spec}
    return {"apiVersion": API_VERSION, "kind": "TerminalClass", "metadata": metadata, "spec": spec}


def terminal(**spec: Any) -> Terminal:
    """Return a parsed Terminal."""
    return parse_terminal(terminal_body(**spec))


def terminal_class(**spec: Any) -> TerminalClass:
    """Return a parsed TerminalClass."""
    return parse_class(class_body(**spec))


@dataclass
class Operator:
    """A reconciler on a cluster, with its own memory: making another one is a restart."""

    cluster: FakeCluster
    settings: Settings = field(default_factory=Settings)
    cache: Cache = field(default_factory=Cache)
    now: datetime = START
    keys: Iterable[str] = ()

    def __post_init__(self) -> None:
        numbers = iter(range(1_000_000))
        self.reconciler = Reconciler(
            cluster=self.cluster,
            cache=self.cache,
            settings=self.settings,
            events=KubernetesEvents(self.cluster, reporter="test", now=lambda: self.now),
            now=lambda: self.now,
            new_key=lambda: f"key-{id(self)}-{next(numbers)}",
        )

    async def look(self) -> None:
        """Have the cache see everything, as complete lists would."""
        calls = len(self.cluster.calls)
        for kind in WATCHED:
            self.cache.replace(kind, await self.cluster.list(kind, selector_of(kind)))
        del self.cluster.calls[calls:]

    async def run_once(self, key: Key = KEY) -> float | None:
        """Look, make one pass, and let a little more than a second go by."""
        await self.look()
        try:
            return await self.reconciler.reconcile(key)
        finally:
            self.now += timedelta(seconds=1.5)

    def status(self, key: Key = KEY) -> Manifest:
        """Return the Terminal's status."""
        status: Manifest = self.cluster.one(TERMINAL, *key).get("status") or {}
        return status

    def condition(self, wanted: str, key: Key = KEY) -> tuple[str, str]:
        """Return status and reason of a condition."""
        (found,) = (each for each in self.status(key)["conditions"] if each["type"] == wanted)
        return found["status"], found["reason"]


def a_cluster(**spec: Any) -> FakeCluster:
    """Return a cluster with a default class and one Terminal."""
    cluster = FakeCluster()
    cluster.put(class_body(resources={"limits": {"memory": "1Gi"}}))
    cluster.put(terminal_body(**spec))
    return cluster


def make_ready(cluster: FakeCluster, key: Key = KEY) -> None:
    """Play scheduler, kubelet, provisioner and Gateway controller."""
    name = f"terminal-{key.name}"
    cluster.edit(CLAIM, key.namespace, f"{name}-home", set_status(phase="Bound"))
    cluster.edit(POD, key.namespace, name, set_status(**RUNNING))
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted"}
    cluster.edit(HTTP_ROUTE, key.namespace, name, set_status(parents=[{"conditions": [accepted]}]))


RUNNING: Manifest = {
    "phase": "Running",
    "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
    "containerStatuses": [{"name": "terminal", "state": {"running": {"startedAt": "2026-01-01T00:00:02Z"}}}],
}


def set_status(**status: Any) -> Callable[[Manifest], object]:
    """Return a change that sets an object's status."""
    return lambda manifest: manifest.update(status=status)
