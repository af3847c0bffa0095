"""A child as the real API server returns it, with all its defaults, is no different from what was wanted."""

import asyncio
from typing import Any

import pytest
from kubernetes.aio.client import ApiClient, ApiException, CoreV1Api
from terminal_operator.api.models import parse_class, parse_terminal
from terminal_operator.build.terminal import build_terminal
from terminal_operator.controller.cache import Key
from terminal_operator.decide.drift import differs
from terminal_operator.kube.client import KubernetesCluster
from terminal_operator.kube.cluster import Manifest
from terminal_operator.kube.kinds import kind_of
from terminal_operator.settings import Settings

from tests.unit.operator.making import RICH_CLASS, RICH_TERMINAL, class_body, terminal_body

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize("client", [pytest.param("real", marks=pytest.mark.cluster)], indirect=True),
]

# What the cluster would have to have for a pod to be let in.
_ELSEWHERE = {"runtimeClassName", "priorityClassName"}
_RICH = {name: value for name, value in RICH_CLASS.items() if name not in _ELSEWHERE}
_UNUSUAL = {
    "user": "bob",
    "env": [{"name": "EMPTY", "value": ""}],
    "resources": {"requests": {"cpu": "0.1"}, "limits": {"cpu": "1.5", "memory": "0.5Gi"}},
    "network": {"egress": "None"},
}
_OPEN = {
    "network": {"ingressFrom": [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {}}}], "dns": []}
}


def children(
    namespace: str, terminal: Manifest, platform: Manifest, settings: dict[str, Any]
) -> list[Manifest]:
    body = terminal_body(Key(namespace, "alice"))
    body["spec"] = terminal
    objects = build_terminal(
        parse_terminal(body), parse_class(class_body(**platform)), Settings.model_validate(settings)
    )
    found = [objects.home_claim, objects.network_policy, objects.service, objects.pod, objects.route]
    return [each for each in found if each is not None]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"routing": {"mode": "Host", "baseUrl": "https://example.com"}, **_OPEN},
        {"routing": {"type": "Ingress", "ingress": {"className": "none", "tlsSecretName": "tls"}}},
        {"routing": {"type": "Ingress", "mode": "Host"}, "network": {"ingressFrom": []}},
    ],
    ids=["gateway path", "gateway host", "ingress path", "ingress host"],
)
@pytest.mark.parametrize(
    ("terminal", "platform"),
    [({"user": "bob"}, {}), (RICH_TERMINAL, _RICH), (_UNUSUAL, _RICH)],
    ids=["plain", "rich", "unusual"],
)
async def test_what_was_created_is_not_written_again(
    client: ApiClient, namespace: str, terminal: Manifest, platform: Manifest, settings: dict[str, Any]
) -> None:
    await service_account(client, namespace)
    cluster = KubernetesCluster(client)
    for child in children(namespace, terminal, platform, settings):
        # The owner is not there: the garbage collector would take the child before it could be looked at.
        metadata = {name: value for name, value in child["metadata"].items() if name != "ownerReferences"}
        wanted = {**child, "metadata": metadata}
        created = await cluster.create(wanted)
        assert not differs(wanted, created), child["kind"]
        found = await cluster.get(kind_of(created), namespace, created["metadata"]["name"])
        assert not differs(wanted, found), child["kind"]


async def service_account(client: ApiClient, namespace: str) -> None:
    """Wait for the service account that every pod needs, with or without a token."""
    async with asyncio.timeout(30):
        while True:
            try:
                await CoreV1Api(client).read_namespaced_service_account("default", namespace)
            except ApiException:
                await asyncio.sleep(0.05)
            else:
                return
