"""The operator itself: reconfigured, killed midway, uninstalled, idle. Nothing else runs meanwhile."""

import asyncio
import base64
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable

import pytest

from tests.e2e.kit.api import CHILD_KINDS
from tests.e2e.kit.cluster import Cluster
from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.programs import ProgramError
from tests.e2e.kit.terminal import children_in, terminal_manifest
from tests.e2e.kit.terminalclass import new_class
from tests.e2e.kit.waiting import until

pytestmark = pytest.mark.alone
MANY = 25
# How often it is tried to kill the operator in time.
KILLS = 5
ROUTES = {"Gateway": "httproutes", "Ingress": "ingresses"}


async def test_routes_of_both_kinds_and_both_modes_lead_to_the_terminal(
    namespace: Namespace, operator: Operator, subtests: pytest.Subtests
) -> None:
    cluster, port = namespace.cluster, namespace.cluster.ingress_port
    alice, first = await namespace.start("alice")
    host = f"http://alice-{namespace.name}.localhost:{port}"
    path = f"http://localhost:{port}/t/{namespace.name}/alice"
    combinations = [("Gateway", "Host", host), ("Ingress", "Host", host), ("Ingress", "Path", path)]
    try:
        for kind, mode, url in combinations:
            with subtests.test(f"{kind}, {mode}"):
                await operator.configure(type=kind, mode=mode)

                async def url_is_told(wanted: str = url) -> bool:
                    return (await alice.status()).get("url") == wanted

                async def only_route_is(wanted: str = ROUTES[kind]) -> bool:
                    children = await children_in(cluster, namespace.name)
                    return children.keys() & ROUTES.values() == {wanted}

                # From one kind to the other the URL may stay: that it is told says nothing of the new pass.
                await until(only_route_is, f"the only route is of kind {kind}", story=alice.story)
                await until(url_is_told, f"the status tells {url}", story=alice.story)
                shell = await alice.until_ready()
                assert await shell.output_at_last("echo hello") == "hello\n"
                assert shell.key == first.key
    finally:
        await operator.configure()
    back = await alice.until_ready()
    assert back.url == first.url
    assert await back.output_at_last("echo hello") == "hello\n"


async def test_an_operator_killed_in_the_middle_leaves_nothing_missing_nothing_doubled_and_every_key(
    namespace: Namespace, operator: Operator
) -> None:
    cluster = namespace.cluster
    made: dict[str, Counter[str]] = defaultdict(Counter)
    keys: dict[str, set[str]] = defaultdict(set)
    watches = [
        asyncio.create_task(_watch(cluster, namespace.name, plural, made, keys)) for plural in CHILD_KINDS
    ]
    # Pods that no node takes cost nothing, and are made all the same.
    async with new_class(cluster, f"nowhere-{namespace.name}", nodeSelector={"no": "such"}) as name:
        try:
            names: set[str] = set()
            for kill in (operator.kill_process, operator.kill_pod, operator.kill_process):
                for _ in range(KILLS):
                    terminals = [f"t{len(names) + number}" for number in range(MANY)]
                    names.update(terminals)
                    if await _killed_midway(namespace, kill, made, terminals, name):
                        break
                else:
                    pytest.fail("the operator was killed too late each time to prove anything")
            await until(
                lambda: _all_complete(cluster, namespace.name, names),
                "all have all children",
                within=180,
                story=operator.story,
            )
            kinds = [plural for plural in CHILD_KINDS if plural != "ingresses"]

            async def all_are_seen() -> bool:
                return {len(made[plural]) for plural in kinds} == {len(names)}

            await until(
                all_are_seen, "the making of every child is told, and of no other", story=operator.story
            )
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
        doubled = {child for plural in kinds for child, times in made[plural].items() if times != 1}
        assert doubled == set(), "made more than once"
        assert {name for name, seen in keys.items() if len(seen) != 1} == set(), "a key that changed"
        assert len({key for seen in keys.values() for key in seen}) == len(names)
    await operator.until_one_leads()


async def _killed_midway(
    namespace: Namespace,
    kill: Callable[[], Awaitable[None]],
    made: dict[str, Counter[str]],
    terminals: list[str],
    class_name: str,
) -> bool:
    """Make Terminals and kill the operator; whether children of theirs were missing by then."""
    manifests = [terminal_manifest(name, className=class_name) for name in terminals]
    applying = asyncio.create_task(namespace.cluster.apply(namespace.name, *manifests))

    async def begun() -> bool:
        return any(f"terminal-{name}-key" in made["secrets"] for name in terminals)

    # An operator that was killed a moment ago has to come back first.
    await until(begun, "the first children are there", within=180, story=namespace.story)
    await kill()
    midway = not all(f"terminal-{name}" in made["pods"] for name in terminals)
    await applying
    return midway


async def _watch(
    cluster: Cluster,
    namespace: str,
    plural: str,
    made: dict[str, Counter[str]],
    keys: dict[str, set[str]],
) -> None:
    """Count how often each child is made, and remember every key that ever was."""
    async for event in cluster.api.watch(plural, namespace):
        child = event["object"]
        name = child["metadata"]["name"]
        if event["type"] == "ADDED":
            made[plural][name] += 1
        if plural == "secrets":
            keys[name].add(base64.b64decode(child["data"]["api-key"]).decode())


async def _all_complete(cluster: Cluster, namespace: str, names: set[str]) -> bool:
    children = await children_in(cluster, namespace)
    whole = all(
        len(children.get(plural, ())) == len(names) for plural in CHILD_KINDS if plural != "ingresses"
    )
    terminals = await cluster.api.list("terminals", namespace)
    told = [
        each
        for each in terminals
        for condition in each.get("status", {}).get("conditions", ())
        if (condition["type"], condition["reason"]) == ("Ready", "Unschedulable")
    ]
    return whole and len(told) == len(names)


async def test_terminals_outlive_the_chart_and_are_taken_over_by_the_next(
    namespace: Namespace, operator: Operator
) -> None:
    cluster = namespace.cluster
    alice, shell = await namespace.start("alice")
    await shell.output("echo mine > file")
    pod = await alice.pod()
    try:
        await operator.uninstall()
        assert await shell.output("cat file") == "mine\n"
        assert await cluster.kubectl("get", "terminal", "alice", "--namespace", namespace.name)
        await cluster.api.delete("services", namespace.name, alice.base)
        # No values: what the README says.
        await operator.install()
        again = await alice.until_ready()
    finally:
        await operator.configure()
    assert again.url.endswith(f"/t/{namespace.name}/alice")
    assert again.key == shell.key
    assert await again.output_at_last("cat file") == "mine\n"
    after = await alice.pod()
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0


async def test_a_terminal_costs_one_call_per_child_and_two_status_writes_and_an_idle_pass_none(
    namespace: Namespace, operator: Operator
) -> None:
    await operator.until_idle()
    before, began = await operator.requests(), time.monotonic()
    alice, _ = await namespace.start("alice")
    # Of the volume the operator may hear after the pod that uses it.
    await alice.until_condition("StorageReady", "True")
    took = time.monotonic() - began
    await operator.until_idle()
    started = await operator.requests()
    cost = started - before
    assert {call: count for call, count in cost.items() if call[0] == "POST"} == {
        ("POST", "Secret"): 1,
        ("POST", "PersistentVolumeClaim"): 1,
        ("POST", "NetworkPolicy"): 1,
        ("POST", "Service"): 1,
        ("POST", "Pod"): 1,
        ("POST", "HTTPRoute"): 1,
    }
    assert {call for call in cost if call[0] not in {"POST", "GET"}} == {("PATCH", "Terminal")}
    # On a slow node, which takes longer than that, progress is told every five seconds.
    assert 1 <= cost["PATCH", "Terminal"] <= 2 + took // 5
    for turn in range(3):
        passes = await operator.passes()
        await _touch_default_class(namespace.cluster, str(turn))

        async def passed(passes: int = passes) -> bool:
            return await operator.passes() > passes

        await until(passed, "the operator has looked at its Terminals again", story=operator.story)
    writes = await operator.requests() - started
    assert [call for call in writes if call[0] != "GET"] == []
    assert (await alice.condition("Ready"))["status"] == "True"


async def _touch_default_class(cluster: Cluster, value: str) -> None:
    await cluster.api.merge(
        "terminalclasses",
        None,
        "default",
        {"metadata": {"annotations": {"terminal-operator.dev/e2e": value}}},
    )


async def test_a_misspelt_value_is_an_error_of_helms(operator: Operator) -> None:
    with pytest.raises(ProgramError, match="additional properties 'replica' not allowed"):
        await operator.install("--set", "replica=2")
