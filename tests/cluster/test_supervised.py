"""A cluster that is up stays up: components come back, and what cannot be is said."""

import contextlib
import os
import signal
import socket

import pytest

from tests.cluster.clusters import Cluster, eventually

# Clusters come up and go down, beside the tests of another.
pytestmark = pytest.mark.timeout(900)


def test_up_twice_is_harmless(cluster: Cluster) -> None:
    before = {name: row["pid"] for name, row in cluster.rows().items()}
    said = cluster.do("up")
    assert "is up after" in said
    after = cluster.rows()
    assert {name: row["pid"] for name, row in after.items()} == before
    eventually(cluster.is_up, "it is up still")


@pytest.mark.parametrize("victim", ["scheduler", "etcd", "containerd", "kubelet"])
def test_a_component_that_is_killed_comes_back_and_status_says_so(cluster: Cluster, victim: str) -> None:
    before = cluster.rows()[victim]
    os.kill(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        row = cluster.rows()[victim]
        return bool(row["restarts"] > before["restarts"] and row["up"])

    eventually(is_back, f"{victim} runs again")
    row = cluster.rows()[victim]
    assert row["last_end"] == "killed by SIGKILL"
    assert row["pid"] != before["pid"]
    eventually(cluster.is_up, "everything is up again")
    assert f"{row['restarts']} restarts" in cluster.run("status").stdout


def test_the_way_in_comes_back_too(cluster: Cluster) -> None:
    os.kill(cluster.rows()["ports"]["pid"], signal.SIGKILL)
    eventually(lambda: not cluster.is_up() or cluster.rows()["ports"]["restarts"] > 0, "the loss is noticed")
    eventually(cluster.is_up, "the ingress answers again")
    nodes = ("get", "nodes", "--no-headers")
    eventually(lambda: cluster.kubectl(*nodes).split()[1] == "Ready", "the node is Ready through it")


def test_logs_are_printed_and_an_unknown_component_lists_the_known(cluster: Cluster) -> None:
    assert "Starting" in cluster.do("logs", "kubelet")
    unknown = cluster.run("logs", "kubelt")
    assert unknown.returncode == 1
    assert "apiserver" in unknown.stderr
    assert "kubelet" in unknown.stderr


def test_a_command_can_be_run_inside(cluster: Cluster) -> None:
    assert cluster.do("exec", "--", "hostname").strip() == "ctest-one-control-plane"
    assert "10.200.0.1" in cluster.do("exec", "--", "ip", "-o", "address", "show", "node0")


def test_env_is_for_a_shell(cluster: Cluster) -> None:
    lines = cluster.do("env")
    assert f"export KUBECONFIG={cluster.do('kubeconfig').strip()}" in lines
    assert "tools-" in lines


def test_other_ports_for_a_running_cluster_are_refused(cluster: Cluster) -> None:
    refused = cluster.run("up", CLUSTER_HTTP_PORT="1")
    assert refused.returncode == 1
    assert f"is running with CLUSTER_API_PORT={cluster.api_port}" in refused.stderr
    eventually(cluster.is_up, "it is up still")


def test_a_port_that_is_taken_is_named(second: Cluster) -> None:
    with socket.create_server(("127.0.0.1", second.http_port)):
        refused = second.run("up")
    assert refused.returncode == 1
    assert f"Port {second.http_port} of 127.0.0.1 is in use" in refused.stderr


POD_WITH_A_VOLUME = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: home, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: docker.io/library/traefik:v3.7.9
      args: [--ping, --ping.entrypoint=web, --entrypoints.web.address=:8000]
      readinessProbe: {httpGet: {path: /ping, port: 8000}, periodSeconds: 1}
      volumeMounts: [{name: home, mountPath: /home}]
  volumes: [{name: home, persistentVolumeClaim: {claimName: home}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{name: traefik-gateway, namespace: traefik}]
  hostnames: [gateway.example]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec:
  ingressClassName: traefik
  rules:
    - host: ingress.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""


def answer(cluster: Cluster, host: str) -> bytes:
    """What the ingress says to a request for a host, as far as it says anything in time."""
    said = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", cluster.http_port), timeout=5) as connection,
    ):
        connection.sendall(f"GET /ping HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        while more := connection.recv(65536):
            said += more
    return said


def test_a_pod_with_a_volume_answers_through_both_kinds_of_route(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--filename", "-", stdin=POD_WITH_A_VOLUME)
    try:
        for host in ("gateway.example", "ingress.example"):
            eventually(lambda host=host: b" 200 OK" in answer(cluster, host), f"{host} answers")  # type: ignore[misc]
        eventually(lambda: b" 404 " in answer(cluster, "other.example"), "nothing else is routed")
        assert "Bound" in cluster.kubectl("get", "pvc", "home", "--no-headers")
        assert list((cluster.settings.volatile_dir / "volumes").iterdir())
    finally:
        cluster.kubectl("delete", "--filename", "-", stdin=POD_WITH_A_VOLUME)
    eventually(
        lambda: not list((cluster.settings.volatile_dir / "volumes").iterdir()), "the folder is removed"
    )
