"""What only a real API server does: it validates, and others write to it meanwhile."""

import pytest
from kubernetes.aio.client import ApiClient, CoreV1Api
from terminal_operator.kube.client import KubernetesCluster
from terminal_operator.kube.cluster import Manifest
from terminal_operator.kube.errors import ConflictError, NotFoundError, RejectedError
from terminal_operator.kube.kinds import SECRET, Kind

from tests.cluster_protocol.test_protocol import bound, secret

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize("client", [pytest.param("real", marks=pytest.mark.cluster)], indirect=True),
]


async def test_what_is_invalid_is_rejected_with_the_servers_words(client: ApiClient, namespace: str) -> None:
    with pytest.raises(RejectedError, match="a lowercase RFC 1123 subdomain must consist of"):
        await KubernetesCluster(client).create(secret(namespace, "Not_a_name"))


async def test_nothing_is_created_in_a_namespace_that_is_not_there(client: ApiClient) -> None:
    with pytest.raises(NotFoundError):
        await KubernetesCluster(client).create(secret("nowhere"))


async def test_an_object_that_changes_while_an_apply_prepares_is_a_conflict(
    client: ApiClient, namespace: str
) -> None:
    core = CoreV1Api(client)

    class Raced(KubernetesCluster):
        """Somebody writes right after the operator has read."""

        async def _request(self, method: str, kind: Kind, path: str, name: str, **rest: object) -> Manifest:
            answer = await super()._request(method, kind, path, name, **rest)  # type: ignore[arg-type]
            if method == "GET":
                await core.patch_namespaced_secret(name, namespace, {"metadata": {"labels": {"more": "yes"}}})
            return answer

    created = await Raced(client).create(secret(namespace))
    with pytest.raises(ConflictError):
        await Raced(client).apply(bound(secret(namespace), created["metadata"]["uid"]))
    found = await KubernetesCluster(client).get(SECRET, namespace, "one")
    assert found is not None
    assert found["metadata"]["labels"] == {"made-by": "test", "more": "yes"}
