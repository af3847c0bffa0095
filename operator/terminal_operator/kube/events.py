"""Events: what `kubectl describe` shows of a Terminal's troubles.

Written after the status, only when a condition turned, and never with more than the condition says.
Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from terminal_operator.api.group import API_VERSION, FIELD_MANAGER
from terminal_operator.api.models import Terminal
from terminal_operator.kube.cluster import Cluster
from terminal_operator.kube.errors import ClusterError

Manifest = dict[str, Any]
logger = logging.getLogger(__name__)

# Reasons of the way to readiness and back, which are no trouble.
_QUIET = frozenset(
    {
        "Creating",
        "NamespaceTerminating",
        "NotAccepted",
        "PodEnding",
        "Provisioning",
        "Starting",
        "UpToDate",
        "WaitingForCleanup",
        "WaitingForGateway",
    }
)
_NOTE_LIMIT = 1024


class EventRecorder(Protocol):
    """Tells people what changed."""

    async def report(self, terminal: Terminal, status: Manifest, previous: Manifest) -> None:
        """Tell of every condition that turned for the worse between two statuses."""


class KubernetesEvents:
    """Writes Events; that one could not be written is logged and harms nothing."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        reporter: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._reporter = reporter
        self._now = now

    async def report(self, terminal: Terminal, status: Manifest, previous: Manifest) -> None:
        """See EventRecorder."""
        before = {each["type"]: each for each in previous.get("conditions") or ()}
        told: set[str] = set()
        for condition in status.get("conditions") or ():
            if _is_news(condition, before.get(condition["type"])) and condition["message"] not in told:
                told.add(condition["message"])
                await self._write(terminal, condition)

    async def _write(self, terminal: Terminal, condition: Manifest) -> None:
        try:
            await self._cluster.create(self._event(terminal, condition))
        except ClusterError as error:
            logger.warning(
                "event not written",
                extra={"terminal": f"{terminal.namespace}/{terminal.name}", "error": str(error)},
            )

    def _event(self, terminal: Terminal, condition: Manifest) -> Manifest:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{terminal.name}-", "namespace": terminal.namespace},
            "eventTime": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._reporter[:128],
            "action": "Reconcile",
            "type": "Warning",
            "reason": condition["reason"][:128],
            # The limit counts bytes.
            "note": condition["message"].encode()[:_NOTE_LIMIT].decode(errors="ignore"),
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": "Terminal",
                "namespace": terminal.namespace,
                "name": terminal.name,
                "uid": terminal.uid,
            },
        }


def _is_news(condition: Manifest, before: Manifest | None) -> bool:
    if condition["status"] != "False" or condition["reason"] in _QUIET:
        return False
    return before is None or (before["status"], before["reason"]) != (
        condition["status"],
        condition["reason"],
    )
