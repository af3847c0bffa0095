"""An operator that is killed at any moment, or is not alone: nothing is missing, nothing doubled, the key the same."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_operator.kube.errors import ClusterError, ConflictError, RetryLaterError
from terminal_operator.kube.kinds import CHILDREN, POD, SECRET

from tests.cluster_protocol.fake import Call, FakeCluster
from tests.unit.operator.making import KEY, Operator, a_cluster, make_ready

CHILD_COUNT = 6
# Six children, and the status.
WRITES_OF_A_START = CHILD_COUNT + 1


class KilledError(BaseException):
    """The process ends: nothing after it runs."""


def kill_after(cluster: FakeCluster, writes: int) -> None:
    """Let the process end right after that many writes have been carried out, before their answers arrive."""

    def count(_: Call) -> None:
        if len(cluster.writes) >= writes:
            raise KilledError

    cluster.after = count


def spare(cluster: FakeCluster) -> None:
    cluster.after = lambda _: None


async def settle(cluster: FakeCluster) -> Operator:
    """Have a fresh operator bring the Terminal to rest."""
    operator = Operator(cluster)
    await operator.run_once()
    make_ready(cluster)
    await operator.run_once()
    return operator


@pytest.mark.parametrize("writes", range(1, WRITES_OF_A_START + 1))
async def test_killed_after_any_write_the_next_operator_completes_the_start(writes: int) -> None:
    cluster = a_cluster()
    kill_after(cluster, writes)
    with pytest.raises(KilledError):
        await Operator(cluster).run_once()
    spare(cluster)
    before = {each["kind"]: each for each in cluster.all(*CHILDREN)}
    operator = await settle(cluster)
    after = {each["kind"]: each for each in cluster.all(*CHILDREN)}
    assert len(cluster.all(*CHILDREN)) == len(after) == CHILD_COUNT
    assert {kind: after[kind]["metadata"]["uid"] for kind in before} == {
        kind: child["metadata"]["uid"] for kind, child in before.items()
    }
    if "Secret" in before:
        assert after["Secret"]["data"] == before["Secret"]["data"]
    assert operator.condition("Ready") == ("True", "Ready")
    creations = [call for call in cluster.writes if call.verb == "create"]
    assert len(creations) == len(set(creations)) == CHILD_COUNT


@pytest.mark.parametrize("lost", range(WRITES_OF_A_START))
async def test_an_answer_that_was_lost_leads_to_no_second_child_and_no_other_key(lost: int) -> None:
    cluster = a_cluster()
    operator = Operator(cluster)

    def lose(_: Call) -> None:
        if len(cluster.writes) == lost + 1:
            raise RetryLaterError("the connection was torn")

    cluster.after = lose
    with contextlib.suppress(RetryLaterError):
        await operator.reconciler.reconcile(KEY)
        await operator.run_once()
    spare(cluster)
    secrets = cluster.all(SECRET)
    # Without a look at the cluster in between: the cache does not know what was made.
    with contextlib.suppress(ClusterError):
        await operator.reconciler.reconcile(KEY)
    await settle(cluster)
    assert len(cluster.all(*CHILDREN)) == CHILD_COUNT
    if secrets:
        assert cluster.all(SECRET)[0]["data"] == secrets[0]["data"]


async def test_two_operators_at_once_make_one_terminal_with_one_key() -> None:
    cluster = a_cluster()
    first, second = Operator(cluster), Operator(cluster)
    await first.look()
    await second.look()
    order: list[str] = []

    async def run(operator: Operator) -> None:
        for _ in range(5):
            try:
                await operator.reconciler.reconcile(KEY)
            except ConflictError:
                await operator.look()
                continue
            order.append("done")
            return

    await asyncio.gather(run(first), run(second))
    key = cluster.all(SECRET)[0]["data"]
    operator = await settle(cluster)
    assert len(cluster.all(*CHILDREN)) == CHILD_COUNT
    assert cluster.all(SECRET)[0]["data"] == key
    assert operator.condition("Ready") == ("True", "Ready")
    assert order == ["done", "done"]


STEPS = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 1)),
    st.tuples(st.just("pass without a look"), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 1)),
    st.tuples(st.just("killed after"), st.integers(1, 4)),
    st.tuples(st.just("fails before"), st.integers(0, 3)),
    st.tuples(st.just("edit"), st.sampled_from(["labels", "hash", "label", "annotation", "string data"])),
    st.tuples(st.just("delete pod"), st.just(0)),
)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=12))
def test_no_write_of_the_operator_ever_changes_a_key(steps: list[tuple[str, int | str]]) -> None:
    asyncio.run(live_through(steps))


async def live_through(steps: list[tuple[str, int | str]]) -> None:
    cluster = a_cluster()
    operators = [Operator(cluster), Operator(cluster)]
    await operators[0].run_once()
    key = key_in(cluster)
    for step, value in steps:
        await take(step, value, cluster, operators)
        assert key_in(cluster) == key, step
    cluster.before, cluster.after = lambda _: None, lambda _: None
    # The first of these passes puts labels right, the second the rest.
    for _ in range(3):
        await operators[0].run_once()
    assert key_in(cluster) == key
    assert len(cluster.all(*CHILDREN)) == CHILD_COUNT


async def take(step: str, value: int | str, cluster: FakeCluster, operators: list[Operator]) -> None:
    match step:
        case "restart":
            operators[int(value)] = Operator(cluster)
        case "edit":
            edit_secret(cluster, str(value))
        case "delete pod":
            for pod in cluster.all(POD):
                cluster.remove(POD, KEY.namespace, pod["metadata"]["name"])
        case "pass":
            await suppressed(operators[int(value)].run_once())
        case "pass without a look":
            await suppressed(operators[int(value)].reconciler.reconcile(KEY))
        case _:
            disturb(cluster, step, int(value))
            await suppressed(operators[0].run_once())
            cluster.before, cluster.after = lambda _: None, lambda _: None


async def suppressed(a_pass: Coroutine[Any, Any, float | None]) -> None:
    with contextlib.suppress(ClusterError, KilledError):
        await a_pass


def disturb(cluster: FakeCluster, step: str, writes: int) -> None:
    begun = len(cluster.writes)

    def kill(_: Call) -> None:
        if len(cluster.writes) - begun >= writes:
            raise KilledError

    def fail(_: Call) -> None:
        if len(cluster.writes) - begun > writes:
            raise RetryLaterError("busy")

    if step == "killed after":
        cluster.after = kill
    else:
        cluster.before = fail


def edit_secret(cluster: FakeCluster, what: str) -> None:
    changes = {
        "labels": lambda secret: secret["metadata"].pop("labels", None),
        "hash": lambda secret: secret["data"].update({"api-key.sha256": "bm9uZQ=="}),
        "label": lambda secret: (
            secret["metadata"].setdefault("labels", {}).update({"terminal-operator.dev/terminal": "mallory"})
        ),
        "annotation": lambda secret: secret["metadata"].update(annotations={"a": "b"}),
        "string data": lambda secret: secret["data"].update({"more": "bW9yZQ=="}),
    }
    cluster.edit(SECRET, KEY.namespace, "terminal-alice-key", changes[what])


def key_in(cluster: FakeCluster) -> str:
    (secret,) = cluster.all(SECRET)
    return str(secret["data"]["api-key"])
