"""What makes a bare cluster usable, installed by the same manifests on both backends.

kind brings its own DNS and StorageClass; everything else here goes to both.
"""

from __future__ import annotations

import http.client
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError
from localcluster.settings import CLUSTER_DIR

if TYPE_CHECKING:
    from pathlib import Path

MANIFESTS = CLUSTER_DIR / "manifests"
FIELD_MANAGER = "cluster"


@dataclass(frozen=True)
class Deployment:
    """One that must be available before the cluster is called up."""

    namespace: str
    name: str


TRAEFIK = Deployment("traefik", "traefik")
DNS = Deployment("kube-system", "coredns")
STORAGE = Deployment("kube-system", "volumes")
KIND_STORAGE = Deployment("local-path-storage", "local-path-provisioner")
ALL = (DNS, STORAGE, TRAEFIK)
TRAEFIK_GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/traefik/gateways/traefik-gateway"


def apply(kubectl: str, kubeconfig: Path, *sources: Path) -> None:
    """Apply manifest files or folders, as often as wanted."""
    command = [kubectl, "apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}"]
    for source in sources:
        command += ["--filename", str(source)]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed:\n{answer.stderr.strip()}")


def ingress_answers(port: int) -> bool:
    """Whether Traefik answers at a loopback port; without a route it says 404."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/", headers={"Host": "nobody.invalid"})
        return connection.getresponse().status == http.client.NOT_FOUND
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
