"""The cluster under test, and the story of a namespace in it for when something went wrong."""

import json
import os
from dataclasses import dataclass

import aiohttp
import yaml

from tests.e2e.kit.api import Api, ApiError, Manifest
from tests.e2e.kit.programs import REPOSITORY, run
from tests.e2e.kit.waiting import until

HTTP_PORT = int(os.environ.get("CLUSTER_HTTP_PORT") or 8080)


@dataclass(frozen=True)
class Cluster:
    """A real cluster: its API server, its node, and its ingress on a loopback port."""

    api: Api
    http: aiohttp.ClientSession
    ingress_port: int = HTTP_PORT

    async def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl, as a user does."""
        return await run("kubectl", *arguments, stdin=stdin)

    async def apply(self, namespace: str, *manifests: Manifest) -> str:
        """Run `kubectl apply`, as a user does."""
        text = yaml.safe_dump_all(manifests)
        return await self.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=text)

    async def on_node(self, *command: str) -> str:
        """Run a command on the node."""
        return await run(str(REPOSITORY / "cluster" / "cluster"), "exec", "--", *command)

    async def node(self) -> Manifest:
        """Return the one node."""
        (node,) = await self.api.list("nodes")
        return node

    async def node_address(self) -> str:
        """Return the node's address within the cluster."""
        addresses = (await self.node())["status"]["addresses"]
        return str(next(each["address"] for each in addresses if each["type"] == "InternalIP"))

    async def kubelet_settings(self) -> Manifest:
        """Return the kubelet's own configuration."""
        name = (await self.node())["metadata"]["name"]
        settings: Manifest = json.loads(await self.api.text(f"api/v1/nodes/{name}/proxy/configz"))
        return settings["kubeletconfig"]  # type: ignore[no-any-return]

    async def pod_log(self, namespace: str, pod: str, tail: int | None = None) -> str:
        """Return a pod's log, or why there is none."""
        query = "" if tail is None else f"?tailLines={tail}"
        try:
            return await self.api.text(f"api/v1/namespaces/{namespace}/pods/{pod}/log{query}")
        except ApiError as error:
            return f"(no log: {error})"

    async def gone(self, plural: str, namespace: str | None, name: str) -> None:
        """Wait until an object is not there any more."""

        async def is_gone() -> bool:
            return await self.api.get(plural, namespace, name) is None

        await until(is_gone, f"{plural} {name} is gone")

    async def story(self, namespace: str) -> str:
        """Tell what a namespace looks like: conditions, pods, events, logs, and the operator's log."""
        lines: list[str] = []
        for terminal in await self.api.list("terminals", namespace):
            lines += [
                f"Terminal {terminal['metadata']['name']}: {json.dumps(terminal.get('status'), indent=1)}"
            ]
        for pod in await self.api.list("pods", namespace):
            name = pod["metadata"]["name"]
            lines += [f"Pod {name}: {json.dumps(pod['status'], indent=1)}"]
            lines += [f"its log:\n{await self.pod_log(namespace, name, 30)}"]
        for event in await self.api.list("events", namespace):
            about = event["involvedObject"]
            lines += [f"Event {about['kind']} {about['name']}: {event['reason']}: {event.get('message')}"]
        for pod in await self.api.list("pods", labels="app.kubernetes.io/name=terminal-operator"):
            where, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            lines += [f"operator {name}:\n{await self.pod_log(where, name, 40)}"]
        return "\n".join(lines)
