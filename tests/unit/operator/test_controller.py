"""The controller: from what a watch tells to a pass over the right Terminal, whatever happens to the others."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from terminal_operator.controller.cache import Cache, Key
from terminal_operator.controller.controller import Controller, selector_of
from terminal_operator.controller.reconcile import Reconciler
from terminal_operator.kube.errors import RetryLaterError
from terminal_operator.kube.events import KubernetesEvents
from terminal_operator.kube.kinds import CHILDREN, POD, SECRET, SERVICE, TERMINAL, TERMINAL_CLASS, WATCHED
from terminal_operator.settings import Settings

from tests.cluster_protocol.fake import Call, FakeCluster
from tests.unit.operator.fake_time import on_fake_time
from tests.unit.operator.making import KEY, a_cluster, class_body, make_ready, terminal_body

OTHER = Key("team", "bob")
Pass = Callable[[Key], float | None]


class ScriptedReconciler:
    """Notes every pass, and does what the test says."""

    def __init__(self, script: Pass = lambda _: None) -> None:
        self.passes: list[Key] = []
        self.script = script

    async def reconcile(self, key: Key) -> float | None:
        """See Reconciler."""
        self.passes.append(key)
        return self.script(key)


@asynccontextmanager
async def running(
    cluster: FakeCluster, reconciler: Any, cache: Cache | None = None
) -> AsyncIterator[Controller]:
    """Run a controller whose watches tell of every change, until the block ends."""
    controller = Controller(
        cluster=cluster, cache=cache or Cache(), reconciler=reconciler, resync_seconds=300.0
    )
    for kind in WATCHED:
        cluster.watch(kind, selector_of(kind), controller.observe)
    tasks = [asyncio.create_task(controller.keep_in_step()), asyncio.create_task(controller.work(2))]
    try:
        yield controller
        assert [task for task in tasks if task.done()] == []
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_synced(controller: Controller) -> bool:
    return controller.synced


def two_terminals() -> FakeCluster:
    cluster = a_cluster()
    cluster.put(terminal_body(OTHER, uid="uid-bob"))
    return cluster


@on_fake_time
async def test_every_terminal_is_looked_at_once_after_everything_was_seen() -> None:
    reconciler = ScriptedReconciler()
    async with running(two_terminals(), reconciler) as controller:
        assert not is_synced(controller)
        await asyncio.sleep(1)
        assert is_synced(controller)
        assert sorted(reconciler.passes) == [KEY, OTHER]


@on_fake_time
async def test_a_change_of_a_terminal_has_it_looked_at_and_no_other() -> None:
    cluster, reconciler = two_terminals(), ScriptedReconciler()
    async with running(cluster, reconciler):
        await asyncio.sleep(1)
        reconciler.passes.clear()
        cluster.edit(TERMINAL, *OTHER, lambda body: body["spec"].update(image="x"))
        await asyncio.sleep(1)
        assert reconciler.passes == [OTHER]


@on_fake_time
async def test_a_change_of_a_class_has_every_terminal_looked_at() -> None:
    cluster, reconciler = two_terminals(), ScriptedReconciler()
    async with running(cluster, reconciler):
        await asyncio.sleep(1)
        reconciler.passes.clear()
        cluster.edit(TERMINAL_CLASS, "", "default", lambda body: body["spec"].update(image="newer"))
        await asyncio.sleep(1)
        assert sorted(reconciler.passes) == [KEY, OTHER]


@on_fake_time
async def test_one_terminals_unforeseen_error_is_logged_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(key: Key) -> None:
        if key == KEY:
            raise KeyError("nobody thought of this")

    cluster, reconciler = two_terminals(), ScriptedReconciler(fail)
    async with running(cluster, reconciler):
        await asyncio.sleep(5)
        cluster.edit(TERMINAL, *OTHER, lambda body: body["spec"].update(image="x"))
        await asyncio.sleep(1)
        assert reconciler.passes.count(OTHER) == 2
        assert 3 < reconciler.passes.count(KEY) < 10  # later and later
    assert "pass failed" in [record.message for record in caplog.records if record.levelno == logging.ERROR]


@on_fake_time
async def test_a_busy_cluster_is_given_the_time_it_asks_for_and_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def busy(_: Key) -> None:
        raise RetryLaterError("busy", after=20.0)

    reconciler = ScriptedReconciler(busy)
    async with running(a_cluster(), reconciler):
        await asyncio.sleep(50)
        assert len(reconciler.passes) == 3
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@on_fake_time
async def test_a_pass_that_wants_another_gets_it_then() -> None:
    reconciler = ScriptedReconciler(lambda _: 30.0)
    async with running(a_cluster(), reconciler):
        await asyncio.sleep(100)
        assert len(reconciler.passes) == 4


@on_fake_time
async def test_a_pass_that_hangs_is_ended_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Hanging(ScriptedReconciler):
        async def reconcile(self, key: Key) -> float | None:
            self.passes.append(key)
            await asyncio.sleep(10_000)
            return None

    reconciler = Hanging()
    async with running(a_cluster(), reconciler):
        await asyncio.sleep(150)
        assert len(reconciler.passes) == 3
    assert len([record for record in caplog.records if record.message == "pass failed"]) == 2


async def test_thousands_of_passes_without_a_write_leave_the_loop_to_others() -> None:
    passes = 0

    def count(_: Key) -> None:
        nonlocal passes
        passes += 1

    cluster = FakeCluster()
    for number in range(2_000):
        cluster.put(terminal_body(Key("team", f"t{number}"), uid=f"uid-t{number}"))
    seen = []
    async with running(cluster, ScriptedReconciler(count)):
        async with asyncio.timeout(30):
            while passes < 2_000:
                seen.append(passes)
                await asyncio.sleep(0)
    seen.append(passes)
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) <= 2


@on_fake_time
async def test_a_deletion_that_no_watch_told_of_is_found_by_the_next_list() -> None:
    cluster, reconciler, cache = two_terminals(), ScriptedReconciler(), Cache()
    async with running(cluster, reconciler, cache):
        await asyncio.sleep(60)
        reconciler.passes.clear()
        watching, cluster._watchers = cluster._watchers, []  # noqa: SLF001 - a watch that says nothing
        cluster.remove(TERMINAL, *OTHER)
        cluster._watchers = watching  # noqa: SLF001
        await asyncio.sleep(400)
        assert reconciler.passes == [OTHER]
        assert cache.terminals() == [KEY]


@on_fake_time
async def test_a_list_that_fails_is_tried_again_and_no_pass_begins_before_it_succeeded() -> None:
    cluster, reconciler = a_cluster(), ScriptedReconciler()

    def refuse(call: Call) -> None:
        if call.kind == "Secret":
            raise RetryLaterError("busy")

    cluster.before = refuse
    async with running(cluster, reconciler) as controller:
        await asyncio.sleep(60)
        assert not is_synced(controller)
        assert reconciler.passes == []
        cluster.before = lambda _: None
        await asyncio.sleep(6)
        assert is_synced(controller)
        assert reconciler.passes == [KEY]


def real(cluster: FakeCluster, cache: Cache) -> Reconciler:
    return Reconciler(
        cluster=cluster,
        cache=cache,
        settings=Settings(),
        events=KubernetesEvents(cluster, reporter="test"),
    )


@on_fake_time
async def test_a_terminal_is_made_kept_and_at_rest_by_watches_alone() -> None:
    cluster, cache = FakeCluster(), Cache()
    async with running(cluster, real(cluster, cache), cache):
        await asyncio.sleep(60)
        cluster.put(class_body())
        cluster.put(terminal_body())
        await asyncio.sleep(1)
        make_ready(cluster)
        await asyncio.sleep(1)
        assert cluster.one(TERMINAL, *KEY)["status"]["phase"] == "Running"
        cluster.calls.clear()
        await asyncio.sleep(30)
        assert cluster.calls == []
        for kind, name in (
            (POD, "terminal-alice"),
            (SERVICE, "terminal-alice"),
            (SECRET, "terminal-alice-key"),
        ):
            cluster.remove(kind, KEY.namespace, name)
        await asyncio.sleep(1)
        assert len(cluster.all(*CHILDREN)) == 6


@on_fake_time
async def test_a_child_whose_label_now_names_another_terminal_is_put_right() -> None:
    cluster, cache = two_terminals(), Cache()
    async with running(cluster, real(cluster, cache), cache):
        await asyncio.sleep(60)
        label = "terminal-operator.dev/terminal"
        cluster.edit(
            SERVICE,
            "team",
            "terminal-alice",
            lambda service: service["metadata"]["labels"].update({label: "bob"}),
        )
        await asyncio.sleep(1)
        assert cluster.one(SERVICE, "team", "terminal-alice")["metadata"]["labels"][label] == "alice"


@on_fake_time
async def test_a_child_that_lost_its_labels_is_put_right_by_watches_alone() -> None:
    cluster, cache = a_cluster(), Cache()
    async with running(cluster, real(cluster, cache), cache):
        await asyncio.sleep(60)

        def spoil(service: dict[str, Any]) -> None:
            service["metadata"].pop("labels")
            service["spec"]["selector"] = {"app": "other"}

        cluster.edit(SERVICE, "team", "terminal-alice", spoil)
        await asyncio.sleep(1)
        service = cluster.one(SERVICE, "team", "terminal-alice")
        assert service["metadata"]["labels"]["terminal-operator.dev/terminal"] == "alice"
        assert service["spec"]["selector"]["terminal-operator.dev/terminal"] == "alice"


def test_of_other_peoples_objects_nothing_is_read() -> None:
    managed = "app.kubernetes.io/managed-by=terminal-operator"
    assert {selector_of(kind) for kind in CHILDREN} == {managed}
    assert selector_of(TERMINAL) == selector_of(TERMINAL_CLASS) == ""
