"""The kind backend: the same verbs where a Docker engine answers."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

from localcluster import addons, commands, files, hosttools, imagebuild, imagelist, waiting
from localcluster.errors import ClusterError
from localcluster.nodeconfig import POD_PIDS_LIMIT
from localcluster.progress import step
from localcluster.status import Row, Status
from localcluster.tools import MODULE, module_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from localcluster.imagelist import Image
    from localcluster.settings import Settings

_UP_SECONDS = 180.0
# kind's own names for what the native backend supervises itself.
_COMPONENTS = {
    "etcd": "etcd",
    "apiserver": "kube-apiserver",
    "controller-manager": "kube-controller-manager",
    "scheduler": "kube-scheduler",
    "proxy": "k8s-app=kube-proxy",
    "network-policy": "app=kindnet",
}
_UNITS = ("kubelet", "containerd")


def config(settings: Settings) -> dict[str, Any]:
    """The cluster for `kind create cluster`: two loopback ports and a limit on processes per pod."""
    kubelet = {"kind": "KubeletConfiguration", "podPidsLimit": POD_PIDS_LIMIT, "maxPods": 250}
    loopback = {"listenAddress": "127.0.0.1", "protocol": "TCP"}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": settings.name,
        "networking": {"apiServerAddress": "127.0.0.1", "apiServerPort": settings.api_port},
        "nodes": [
            {
                "role": "control-plane",
                "extraPortMappings": [{"containerPort": 80, "hostPort": settings.http_port, **loopback}],
                "kubeadmConfigPatches": [json.dumps(kubelet)],
            }
        ],
    }


def gateway_api_url() -> str:
    """Where the Gateway API publishes the definitions that the native backend takes from its module."""
    version = module_version((MODULE / "go.mod").read_text(), "sigs.k8s.io/gateway-api")
    releases = "https://github.com/kubernetes-sigs/gateway-api/releases/download"
    return f"{releases}/{version}/standard-install.yaml"


class Kind:
    """One kind cluster, running or not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def up(self) -> None:
        """Make the cluster run; one that is there is kept, one that stopped with its engine is started."""
        hosttools.require_kind()
        if self.settings.name not in self._clusters():
            self._create()
        else:
            commands.run(["docker", "start", self.settings.node_name])
            self._write_kubeconfig()
        with step("add-ons applied"):
            addons.apply("kubectl", self.kubeconfig(), self._gateway_api())
            addons.apply("kubectl", self.kubeconfig(), addons.MANIFESTS / "traefik.yaml")
        with step("traefik available"):
            wait = ["wait", "--namespace", "traefik", "--for=condition=Available", "deployment/traefik"]
            commands.run([*self._kubectl(), *wait, f"--timeout={_UP_SECONDS:.0f}s"])
        with step("ingress answers"):
            port = self.settings.http_port
            waiting.until(
                lambda: addons.ingress_answers(port), _UP_SECONDS, lambda: f"Nothing answers at port {port}."
            )

    def down(self) -> None:
        """Delete the cluster."""
        hosttools.require_kind()
        if self.settings.name in self._clusters():
            with step("cluster deleted"):
                commands.run(["kind", "delete", "cluster", "--name", self.settings.name])

    def status(self) -> Status:
        """The node, and the Deployments that a ready cluster has."""
        hosttools.require_kind()
        running = ["docker", "inspect", "--format", "{{.State.Running}}", self.settings.node_name]
        up = commands.succeeds(running) and commands.output(running).strip() == "true"
        rows = [Row("node", up, "running" if up else "absent or stopped")]
        for deployment in (addons.DNS, addons.KIND_STORAGE, addons.TRAEFIK) if up else ():
            wait = ["wait", "--namespace", deployment.namespace, "--for=condition=Available", "--timeout=1s"]
            available = commands.succeeds([*self._kubectl(), *wait, f"deployment/{deployment.name}"])
            rows.append(Row(deployment.name, available, "available" if available else "not available"))
        url = f"http://127.0.0.1:{self.settings.http_port}"
        return Status(self.settings.name, "kind", tuple(rows), str(self.kubeconfig()), url)

    def build(self, images: Sequence[Image]) -> None:
        """Build images with the Docker engine."""
        for image in images:
            imagebuild.build_with_docker(image)

    def load(self, image: Image) -> None:
        """Build an image if needed and put it into the node; kind itself skips what is there."""
        self.build([image])
        with step(f"load {image.short}"):
            commands.run(["kind", "load", "docker-image", image.name, "--name", self.settings.name])

    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.settings.kubeconfig

    def programs_path(self) -> None:
        """Kubectl and helm are on PATH."""
        return

    def logs_command(self, component: str, *, follow: bool) -> list[str]:
        """The command that prints a component's log."""
        if component in _UNITS:
            return self.exec_command(["journalctl", "--unit", component, *(["--follow"] if follow else [])])
        if component not in _COMPONENTS:
            raise ClusterError(f"No component {component!r}; known: {', '.join([*_COMPONENTS, *_UNITS])}.")
        selector = _COMPONENTS[component]
        selector = selector if "=" in selector else f"component={selector}"
        return [
            *(*self._kubectl(), "logs", "--namespace", "kube-system", "--selector", selector, "--tail=-1"),
            *(["--follow"] if follow else []),
        ]

    def exec_command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another inside the node."""
        return ["docker", "exec", "--interactive", self.settings.node_name, *command]

    def known_images(self) -> Sequence[Image]:
        """The project's own: kind brings those of the node."""
        return imagelist.project_images()

    def _clusters(self) -> list[str]:
        return commands.output(["kind", "get", "clusters"]).split()

    def _create(self) -> None:
        path = self.settings.cluster_dir / "kind.json"
        files.write(path, json.dumps(config(self.settings), indent=2) + "\n")
        kubeconfig = str(self.kubeconfig())
        with step("kind cluster") as current:
            create = ["kind", "create", "cluster", "--config", str(path), "--kubeconfig", kubeconfig]
            commands.run([*create, "--wait", f"{_UP_SECONDS:.0f}s"], step=current)

    def _write_kubeconfig(self) -> None:
        text = commands.output(["kind", "get", "kubeconfig", "--name", self.settings.name])
        files.write(self.kubeconfig(), text, mode=0o600)

    def _kubectl(self) -> list[str]:
        return ["kubectl", "--kubeconfig", str(self.kubeconfig())]

    def _gateway_api(self) -> Path:
        """The definitions, fetched once into the cache."""
        path = self.settings.cache / "gateway-api" / f"{files.content_key([gateway_api_url()])}.yaml"
        if not path.exists():
            with urllib.request.urlopen(gateway_api_url(), timeout=60) as answer:  # noqa: S310 - https above
                files.write(path, answer.read().decode())
        return path
