"""A terminal reaches no other terminal, not the API server, not the node; tried from inside, as an attacker would.

Every refusal stands beside the same attempt from a pod without a policy, which succeeds: the tests can fail.
"""

import asyncio
import ipaddress
import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.kit.api import Manifest
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.terminalclass import default_class, new_class
from tests.e2e.kit.waiting import until

METADATA_SERVICE = "169.254.169.254"
# An address of nobody's (RFC 5737) that stands for the internet.
PUBLIC = "198.51.100.7"
KUBELET_PORT = 10250

_CONNECT = """
import json, socket, sys
reached = {}
for target in json.loads(sys.argv[1]):
    try:
        socket.create_connection(tuple(target), 1.5).close()
        reached[f"{target[0]}:{target[1]}"] = "open"
    except OSError as error:
        reached[f"{target[0]}:{target[1]}"] = type(error).__name__
print(json.dumps(reached))
"""
Target = tuple[str, int]


def connect_command(targets: list[Target]) -> list[str]:
    """A command that tries to open connections, and says what came of each."""
    return ["python3", "-c", _CONNECT, json.dumps(targets)]


async def tried_from(shell: Shell, targets: list[Target]) -> dict[str, str]:
    """Try to open connections from inside a terminal."""
    answers: dict[str, str] = json.loads(await shell.output(shlex.join(connect_command(targets))))
    return answers


async def tried_from_pod(namespace: Namespace, pod: str, targets: list[Target]) -> dict[str, str]:
    """Try to open connections from a pod that is no terminal."""
    answers: dict[str, str] = json.loads(
        await namespace.cluster.kubectl(
            "exec", pod, "--namespace", namespace.name, "--", *connect_command(targets)
        )
    )
    return answers


Attempt = Callable[[], Awaitable[dict[str, str]]]


async def until_open(attempt: Attempt) -> None:
    """Wait until every connection of an attempt opens."""
    await _until_answers(attempt, "every connection opens", lambda answers: answers == {"open"})


async def until_closed(attempt: Attempt) -> None:
    """Wait until no connection of an attempt opens: who enforces policies may learn late of a pod or a policy."""
    await _until_answers(attempt, "no connection opens", lambda answers: "open" not in answers)


async def _until_answers(attempt: Attempt, what: str, wanted: Callable[[set[str]], bool]) -> None:
    last: dict[str, str] = {}

    async def probe() -> bool:
        last.update(await attempt())
        return wanted(set(last.values()))

    async def told() -> str:
        return str(last)

    await until(probe, what, story=told)


def unprotected_pod(name: str, image: str) -> Manifest:
    """A pod of the terminals' own image, which no policy isolates; it listens as terminals do."""
    server: dict[str, Any] = {
        "name": "server",
        "image": image,
        "command": ["python3", "-m", "http.server", "8000"],
        "workingDir": "/tmp",  # noqa: S108 - in a pod
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
    }
    metadata = {"name": name, "labels": {"app": name}}
    spec = {"containers": [server], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


async def start_unprotected(namespace: Namespace, *names: str) -> dict[str, str]:
    """Start unprotected pods, and return their addresses."""
    default = await default_class(namespace.cluster)
    await namespace.cluster.apply(
        namespace.name, *(unprotected_pod(name, default["spec"]["image"]) for name in names)
    )
    return {name: await pod_address(namespace, name) for name in names}


async def pod_address(namespace: Namespace, name: str) -> str:
    """Wait until a pod is ready, and return its address."""

    async def probe() -> str | None:
        pod = await namespace.cluster.api.get("pods", namespace.name, name)
        conditions = {
            each["type"]: each["status"] for each in (pod or {"status": {}})["status"].get("conditions", ())
        }
        return pod["status"]["podIP"] if pod and conditions.get("Ready") == "True" else None

    return await until(probe, f"pod {name} is ready", story=namespace.story)


async def address_of(cluster: Cluster, labels: str) -> str:
    """The address of one running pod of the cluster's own."""
    pods = await cluster.api.list("pods", labels=labels)
    return str(next(pod["status"]["podIP"] for pod in pods if pod["status"]["phase"] == "Running"))


@asynccontextmanager
async def node_answering_at(cluster: Cluster, address: str) -> AsyncIterator[None]:
    """For a while the node, and with it its kubelet, answers at one more address."""
    await cluster.on_node("ip", "address", "replace", f"{address}/32", "dev", "lo")
    try:
        yield
    finally:
        await cluster.on_node("ip", "address", "delete", f"{address}/32", "dev", "lo")


async def test_a_terminal_reaches_nothing_of_the_cluster_that_any_other_pod_reaches(
    namespace: Namespace,
) -> None:
    cluster = namespace.cluster
    (_, alice), pods = await asyncio.gather(
        namespace.start("alice"), start_unprotected(namespace, "anybody", "victim")
    )
    node = await cluster.node_address()
    api = await cluster.api.get("services", "default", "kubernetes")
    assert api is not None
    gateway = str(next(ipaddress.ip_network(f"{pods['anybody']}/24", strict=False).hosts()))
    targets: list[Target] = [
        (pods["victim"], 8000),
        (api["spec"]["clusterIP"], 443),
        (node, 6443),
        (node, KUBELET_PORT),
        (gateway, KUBELET_PORT),
        (node, 80),
        (METADATA_SERVICE, KUBELET_PORT),
        (await address_of(cluster, "app.kubernetes.io/name=terminal-operator"), 8080),
        (await address_of(cluster, "app.kubernetes.io/name=traefik"), 8000),
    ]
    async with node_answering_at(cluster, METADATA_SERVICE):
        await until_open(lambda: tried_from_pod(namespace, "anybody", targets))
        await until_closed(lambda: tried_from(alice, targets))


async def test_nobody_but_the_ingress_opens_a_connection_to_a_terminal(namespace: Namespace) -> None:
    cluster = namespace.cluster
    ((alice, _), (_, bob)), pods = await asyncio.gather(
        namespace.start_all("alice", "bob"), start_unprotected(namespace, "anybody", "victim")
    )
    service = await alice.child("services")
    targets: list[Target] = [
        ((await alice.pod())["status"]["podIP"], 8000),
        (service["spec"]["clusterIP"], 8000),
    ]
    control: list[Target] = [(pods["victim"], 8000)]
    await until_open(lambda: tried_from_pod(namespace, "anybody", control))
    await until_closed(lambda: tried_from_pod(namespace, "anybody", targets))
    await until_closed(lambda: tried_from(bob, targets))

    # The very policy of Alice's, laid over the pods that reached each other, ends that.
    policy = await alice.child("networkpolicies")
    for name, types in (("victim", ["Ingress"]), ("anybody", ["Egress"])):
        spec = {**policy["spec"], "podSelector": {"matchLabels": {"app": name}}, "policyTypes": types}
        metadata = {"name": name}
        await cluster.apply(
            namespace.name,
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": metadata,
                "spec": {key: value for key, value in spec.items() if key not in _other(types)},
            },
        )
        await until_closed(lambda: tried_from_pod(namespace, "anybody", control))
        await cluster.kubectl("delete", "networkpolicy", name, "--namespace", namespace.name)
        await until_open(lambda: tried_from_pod(namespace, "anybody", control))


def _other(types: list[str]) -> set[str]:
    return {"Ingress": {"egress"}, "Egress": {"ingress"}}[types[0]]


async def test_a_terminal_resolves_names_and_reaches_public_addresses(namespace: Namespace) -> None:
    _, alice = await namespace.start("alice")

    async def resolved() -> bool:
        answer = await alice.execute("getent hosts kubernetes.default.svc.cluster.local")
        return "kubernetes.default.svc" in answer.stdout

    await until(resolved, "a name of the cluster is resolved")
    async with node_answering_at(namespace.cluster, PUBLIC):
        await until_open(lambda: tried_from(alice, [(PUBLIC, KUBELET_PORT)]))


async def test_a_class_may_close_the_way_out_altogether(namespace: Namespace) -> None:
    name = f"closed-{namespace.name}"
    async with new_class(namespace.cluster, name, network={"egress": "None"}):
        _, alice = await namespace.start("alice", className=name)
        dns = await namespace.cluster.api.get("services", "kube-system", "kube-dns")
        assert dns is not None
        targets: list[Target] = [(dns["spec"]["clusterIP"], 53)]
        await until_closed(lambda: tried_from(alice, targets))
        result = await alice.execute("timeout 3 getent hosts kubernetes.default.svc.cluster.local")
        assert result.exit_code != 0, result
