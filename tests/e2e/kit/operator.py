"""The operator under test: installed with Helm, looked at by its metrics and its log, killed without warning."""

import asyncio
import contextlib
import re
from collections import Counter
from dataclasses import dataclass

from tests.e2e.kit.api import ApiError, Manifest
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import MADE_BY_TESTS
from tests.e2e.kit.programs import CHART, ProgramError, run
from tests.e2e.kit.waiting import until

RELEASE = NAMESPACE = "terminal-operator"
_METRIC = re.compile(
    r'^terminal_operator_api_requests_total\{kind="(\w+)",method="(\w+)",status="(\w+)"\} (\S+)', re.MULTILINE
)
_LEADS = "terminal_operator_leader 1.0"
_PASSES = re.compile(r"^terminal_operator_reconciles_total\{.*\} (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Operator:
    """The one operator of the cluster."""

    cluster: Cluster

    async def install(self, *arguments: str) -> None:
        """`helm upgrade --install`, and wait until the new operator is ready and is the only one left."""
        await run(
            *("helm", "upgrade", "--install", RELEASE, str(CHART), "--namespace", NAMESPACE),
            *("--create-namespace", "--wait", "--timeout", "180s", "--hide-notes", *arguments),
        )
        await self.until_one_leads()

    async def restart(self) -> None:
        """Replace the operator's pod by a new one, in an orderly way."""
        await self.cluster.kubectl("rollout", "restart", "deployment", "--namespace", NAMESPACE)
        await self.cluster.kubectl("rollout", "status", "deployment", "--namespace", NAMESPACE)
        await self.until_one_leads()

    async def until_one_leads(self) -> None:
        """Wait until there is one operator only, and it is at work."""

        async def one_leads() -> bool:
            pods = await self._pods()
            # A pod that was killed a moment ago may also not answer at all.
            with contextlib.suppress(ApiError, TimeoutError):
                return len(pods) == 1 and _LEADS in await self._metrics_of(pods[0])
            return False

        await until(one_leads, "there is one operator only, and it leads", story=self.story)

    async def configure(self, *, type: str = "Gateway", mode: str = "Path") -> None:  # noqa: A002 - the setting's
        """Install with the ingress of this cluster, and the kind of routes wanted."""
        await self.install(
            *("--set", f"settings.routing.baseUrl=http://localhost:{self.cluster.ingress_port}"),
            *("--set", f"settings.routing.type={type}", "--set", f"settings.routing.mode={mode}"),
        )

    async def uninstall(self) -> None:
        """`helm uninstall`, and wait until it has gone."""
        await run("helm", "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "180s")

        async def gone() -> bool:
            return not await self._pods()

        await until(gone, "the operator is gone")

    async def until_idle(self) -> None:
        """Wait until no namespace of a test is on its way out, and no pass is made for a second."""

        async def idle() -> bool:
            namespaces = await self.cluster.api.list("namespaces", labels=MADE_BY_TESTS)
            if any("deletionTimestamp" in each["metadata"] for each in namespaces):
                return False
            passes = await self.passes()
            await asyncio.sleep(1)
            return await self.passes() == passes

        # At the end of a run there are many namespaces to remove.
        await until(idle, "the operator has nothing to do", within=300, story=self.story)

    async def pod(self) -> Manifest:
        """Return the operator's pod."""
        (pod,) = await self._pods()
        return pod

    async def log(self) -> str:
        """Return the operator's log."""
        return await self.cluster.pod_log(NAMESPACE, (await self.pod())["metadata"]["name"])

    async def requests(self) -> Counter[tuple[str, str]]:
        """Return how many requests it has made to the API server, by method and kind."""
        counted: Counter[tuple[str, str]] = Counter()
        for kind, method, _, count in _METRIC.findall(await self._metrics()):
            counted[method, kind] += int(float(count))
        return counted

    async def passes(self) -> int:
        """Return how many passes over a Terminal it has made."""
        return sum(int(float(count)) for count in _PASSES.findall(await self._metrics()))

    async def kill_process(self) -> None:
        """End the operator's process with SIGKILL, from the node."""

        async def killed() -> bool:
            container = (await self.pod())["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
            script = (
                f"ended=1; for process in /proc/[0-9]*; do grep -q {container} $process/cgroup"
                " && kill -9 ${process#/proc/} && ended=0; done; exit $ended"
            )
            with contextlib.suppress(ProgramError):
                await self.cluster.on_node("sh", "-c", script)
                return True
            return False

        # The pod may not tell yet which container runs since the last time.
        await until(killed, "the operator's process was killed", story=self.story)

    async def kill_pod(self) -> None:
        """Delete the operator's pod by force: it gets no time to give its lease back."""
        name = (await self.pod())["metadata"]["name"]
        await self.cluster.kubectl(
            *("delete", "pod", name, "--namespace", NAMESPACE, "--force", "--grace-period=0")
        )

    async def story(self) -> str:
        """Tell how the operator is."""
        return await self.cluster.story(NAMESPACE)

    async def _metrics(self) -> str:
        return await self._metrics_of(await self.pod())

    async def _metrics_of(self, pod: Manifest) -> str:
        name = pod["metadata"]["name"]
        return await self.cluster.api.text(f"api/v1/namespaces/{NAMESPACE}/pods/{name}:8080/proxy/metrics")

    async def _pods(self) -> list[Manifest]:
        return await self.cluster.api.list("pods", NAMESPACE, "app.kubernetes.io/name=terminal-operator")
