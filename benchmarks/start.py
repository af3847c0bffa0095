"""How long until a shell answers: a Terminal through the ingress, beside a bare pod of the same image.

The bare pod is the floor: the same node pulls nothing, starts the same server, and is asked directly by the API
server's proxy at the pod's address. Both are asked every few milliseconds, one after the other, in turns.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.table import Row, seconds
from tests.e2e.kit.api import ApiError, Manifest
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import Namespace, new_namespace
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.terminal import terminal_manifest
from tests.e2e.kit.terminalclass import default_class
from tests.e2e.kit.waiting import until

ROUNDS = 7
_POLL_SECONDS = 0.02


async def measure(cluster: Cluster) -> list[Row]:
    """Start both in turns, several times."""
    bare: list[float] = []
    with_home: list[float] = []
    terminal: list[float] = []
    ready: list[float] = []
    async with new_namespace(cluster) as namespace:
        await _bare_pod(namespace, "warm-up")
        for number in range(ROUNDS):
            bare.append(await _bare_pod(namespace, f"bare{number}"))
            with_home.append(await _bare_pod(namespace, f"home{number}", home=True))
            answered, was_ready = await _terminal(namespace, f"t{number}")
            terminal.append(answered)
            ready.append(was_ready)
            print(
                f"round {number + 1} of {ROUNDS}: bare {bare[-1]:.2f} s, with a home {with_home[-1]:.2f} s,"
                f" Terminal {terminal[-1]:.2f} s",
                flush=True,
            )
    more = [mine - floor for mine, floor in zip(terminal, with_home, strict=True)]
    return [
        seconds("bare pod: applied → first answer", bare),
        seconds("bare pod with a volume of its own: applied → first answer", with_home),
        seconds("Terminal: applied → first answer through the ingress", terminal),
        seconds(
            "Terminal less bare pod, in the same round",
            [a - b for a, b in zip(terminal, bare, strict=True)],
            "0.6 s",
        ),
        seconds("Terminal less bare pod with a volume, in the same round", more, "0.6 s"),
        seconds("Terminal: applied → Ready=True in its status", ready),
    ]


async def _terminal(namespace: Namespace, name: str) -> tuple[float, float]:
    """Return the seconds until the first answer, and until the status says Ready."""
    cluster = namespace.cluster
    url = f"http://localhost:{cluster.ingress_port}/t/{namespace.name}/{name}"
    shell = Shell(cluster.http, cluster.ingress_port, url, None)
    terminal = namespace.terminal(name)
    begun = time.perf_counter()
    await cluster.api.create("terminals", namespace.name, terminal_manifest(name))

    async def is_ready() -> bool:
        return (await terminal.condition("Ready")).get("status") == "True"

    answered, ready = await asyncio.gather(
        _seconds_until(begun, shell.is_healthy, "the terminal answers through the ingress"),
        _seconds_until(begun, is_ready, "the status says Ready"),
    )
    await cluster.api.delete("terminals", namespace.name, name)
    await cluster.gone("pods", namespace.name, terminal.base)
    return answered, ready


async def _bare_pod(namespace: Namespace, name: str, *, home: bool = False) -> float:
    """Return the seconds until a pod of the same image answers, asked at its own address."""
    cluster = namespace.cluster
    spec = (await default_class(cluster))["spec"]
    begun = time.perf_counter()
    if home:
        await cluster.api.create("persistentvolumeclaims", namespace.name, _claim(name))
    await cluster.api.create("pods", namespace.name, _pod(name, spec, home=home))
    took = await _seconds_until(begun, lambda: _answers(namespace, name), "the pod answers")
    await cluster.api.delete("pods", namespace.name, name)
    await cluster.gone("pods", namespace.name, name)
    if home:
        await cluster.api.delete("persistentvolumeclaims", namespace.name, name)
    return took


async def _seconds_until(begun: float, probe: Callable[[], Awaitable[bool]], what: str) -> float:
    await until(probe, what, every=_POLL_SECONDS)
    return time.perf_counter() - begun


async def _answers(namespace: Namespace, name: str) -> bool:
    try:
        path = f"api/v1/namespaces/{namespace.name}/pods/{name}:8000/proxy/health"
        return "ok" in await namespace.cluster.api.text(path)
    except ApiError:
        return False


def _claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }


def _pod(name: str, spec: Manifest, *, home: bool) -> Manifest:
    container: dict[str, Any] = {
        "name": "server",
        "image": spec["image"],
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "OPEN_TERMINAL_API_KEY", "value": "benchmark"}],
        "resources": spec["resources"],
    }
    pod: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 1}
    if home:
        container["volumeMounts"] = [{"name": "home", "mountPath": "/home/user"}]
        pod["volumes"] = [{"name": "home", "persistentVolumeClaim": {"claimName": name}}]
        pod["securityContext"] = {"runAsUser": 1000, "fsGroup": 1000}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod}
