"""One pass after another over a cluster in memory: what is written, what is left alone, and what is said of it."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from terminal_operator.controller.cache import Key
from terminal_operator.kube.errors import ClusterError, ConflictError, RejectedError, RetryLaterError
from terminal_operator.kube.kinds import (
    CHILDREN,
    CLAIM,
    EVENT,
    HTTP_ROUTE,
    INGRESS,
    NETWORK_POLICY,
    POD,
    SECRET,
    SERVICE,
    TERMINAL,
    TERMINAL_CLASS,
    Kind,
)
from terminal_operator.settings import Settings

from tests.cluster_protocol.fake import Call, FakeCluster
from tests.unit.operator.making import (
    KEY,
    START,
    Manifest,
    Operator,
    a_cluster,
    class_body,
    make_ready,
    set_status,
    terminal_body,
)

NAMES = {
    SECRET: "terminal-alice-key",
    CLAIM: "terminal-alice-home",
    NETWORK_POLICY: "terminal-alice",
    SERVICE: "terminal-alice",
    POD: "terminal-alice",
    HTTP_ROUTE: "terminal-alice",
}
ALL = list(NAMES)


def by_name(kind: Kind) -> str:
    return kind.name


async def a_running_terminal(**spec: Any) -> tuple[FakeCluster, Operator]:
    cluster = a_cluster(**spec)
    operator = Operator(cluster)
    await operator.run_once()
    make_ready(cluster)
    await operator.run_once()
    assert operator.condition("Ready") == ("True", "Ready")
    cluster.calls.clear()
    return cluster, operator


def identities(cluster: FakeCluster) -> dict[str, str]:
    return {each["kind"]: each["metadata"]["uid"] for each in cluster.all(*CHILDREN)}


async def test_a_start_is_one_creation_per_child_and_one_status_and_then_one_more_when_it_is_ready() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    assert sorted((call.verb, call.kind) for call in cluster.calls) == sorted(
        [*(("create", kind.name) for kind in ALL), ("apply_status", "Terminal")]
    )
    assert operator.status()["phase"] == "Starting"
    cluster.calls.clear()
    make_ready(cluster)
    await operator.run_once()
    assert cluster.calls == [Call("apply_status", "Terminal", "alice")]
    assert operator.status()["phase"] == "Running"
    assert operator.condition("Ready") == ("True", "Ready")
    assert operator.status()["url"] == "http://localhost:8080/t/team/alice"


async def test_a_second_pass_over_an_unchanged_terminal_asks_the_cluster_nothing() -> None:
    cluster, operator = await a_running_terminal()
    assert await operator.run_once() is None
    assert cluster.calls == []


@pytest.mark.parametrize(
    "spec",
    [
        {"network": {"egress": "None"}},
        {"env": [{"name": "EMPTY", "value": ""}]},
        {"resources": {"limits": {"cpu": "0.5"}}},
        {"storage": {"size": "2Gi"}},
    ],
    ids=str,
)
async def test_a_restarted_operator_writes_nothing(spec: Manifest) -> None:
    cluster = a_cluster(**spec)
    cluster.edit(TERMINAL_CLASS, "", "default", lambda body: body["spec"].update(overridable=list(spec)))
    await Operator(cluster).run_once()
    make_ready(cluster)
    await Operator(cluster).run_once()
    cluster.calls.clear()
    await Operator(cluster).run_once()
    assert cluster.writes == []


async def test_a_terminal_of_a_class_without_resources_settles_too() -> None:
    cluster = FakeCluster()
    cluster.put(class_body())
    cluster.put(terminal_body())
    await Operator(cluster).run_once()
    make_ready(cluster)
    await Operator(cluster).run_once()
    cluster.calls.clear()
    await Operator(cluster).run_once()
    assert cluster.writes == []


async def test_the_pod_is_made_after_the_key_the_home_and_the_policy() -> None:
    cluster = a_cluster()
    await Operator(cluster).run_once()
    order = [call.kind for call in cluster.writes]
    assert order.index("Pod") > max(order.index(kind.name) for kind in (SECRET, CLAIM, NETWORK_POLICY))


@pytest.mark.parametrize("kind", ALL, ids=by_name)
async def test_a_deleted_child_comes_back_and_nothing_else_is_touched(kind: Kind) -> None:
    cluster, operator = await a_running_terminal()
    before = identities(cluster)
    cluster.remove(kind, KEY.namespace, NAMES[kind])
    await operator.run_once()
    assert [call for call in cluster.writes if call.verb != "apply_status"] == [
        Call("create", kind.name, NAMES[kind])
    ]
    after = identities(cluster)
    assert {name for name in after if after[name] != before[name]} == {kind.name}


EDITS: dict[Kind, Callable[[Manifest], object]] = {
    CLAIM: lambda claim: claim["metadata"]["labels"].update({"app.kubernetes.io/name": "mine"}),
    NETWORK_POLICY: lambda policy: policy["spec"]["egress"].append({}),
    SERVICE: lambda service: service["spec"]["selector"].update(app="other"),
    POD: lambda pod: pod["spec"]["containers"][0].update(image="other"),
    HTTP_ROUTE: lambda route: route["spec"].update(hostnames=["other"]),
}


@pytest.mark.parametrize("kind", EDITS, ids=by_name)
async def test_an_edited_child_is_put_right(kind: Kind) -> None:
    cluster, operator = await a_running_terminal()
    before = cluster.one(kind, KEY.namespace, NAMES[kind])
    cluster.edit(kind, KEY.namespace, NAMES[kind], EDITS[kind])
    await operator.run_once()
    after = cluster.one(kind, KEY.namespace, NAMES[kind])
    assert [call.verb for call in cluster.writes] == ["apply"]
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]


@pytest.mark.parametrize("kind", ALL, ids=by_name)
async def test_a_child_that_lost_its_labels_gets_them_back_and_stays_the_same(kind: Kind) -> None:
    cluster, operator = await a_running_terminal()
    before = cluster.one(kind, KEY.namespace, NAMES[kind])
    cluster.edit(kind, KEY.namespace, NAMES[kind], lambda child: child["metadata"].pop("labels"))
    again = await operator.run_once()
    after = cluster.one(kind, KEY.namespace, NAMES[kind])
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert again == 0  # to compare the rest of it
    cluster.calls.clear()
    await operator.run_once()
    assert operator.condition("Ready") == ("True", "Ready")
    assert [call for call in cluster.writes if call.verb != "apply_status"] == []


async def test_a_child_that_lost_its_labels_and_was_edited_is_put_right_in_the_next_pass() -> None:
    cluster, operator = await a_running_terminal()

    def spoil(policy: Manifest) -> None:
        policy["metadata"].pop("labels")
        policy["spec"]["egress"] = [{}]

    cluster.edit(NETWORK_POLICY, KEY.namespace, "terminal-alice", spoil)
    await operator.run_once()
    await operator.run_once()
    assert cluster.one(NETWORK_POLICY, KEY.namespace, "terminal-alice")["spec"]["egress"] != [{}]


@pytest.mark.parametrize("labelled", [True, False], ids=["with our labels", "without"])
@pytest.mark.parametrize("kind", ALL, ids=by_name)
async def test_a_strangers_object_is_left_alone_and_reported(kind: Kind, labelled: bool) -> None:  # noqa: FBT001
    settled, _ = await a_running_terminal()
    foreign = settled.one(kind, KEY.namespace, NAMES[kind])
    del foreign["metadata"]["ownerReferences"]
    if not labelled:
        del foreign["metadata"]["labels"]
    cluster = a_cluster()
    cluster.put(foreign)
    operator = Operator(cluster)
    before = cluster.one(kind, KEY.namespace, NAMES[kind])
    for _ in range(3):
        again = await operator.run_once()
        assert again is not None
        assert again <= 30
    assert cluster.one(kind, KEY.namespace, NAMES[kind]) == before
    assert operator.condition("Ready") == ("False", "ForeignObject")
    if kind in {SECRET, CLAIM, NETWORK_POLICY}:
        assert cluster.all(POD) == []  # nobody's shell starts without its own
    # It is run into once at the most, and from then on looked at.
    assert [call.kind for call in cluster.writes if call.verb == "create"].count(kind.name) <= 1
    cluster.remove(kind, KEY.namespace, NAMES[kind])
    for _ in range(2):
        try:
            await operator.run_once()
        except ConflictError:
            continue
    assert cluster.one(kind, KEY.namespace, NAMES[kind])["metadata"]["ownerReferences"]


async def test_what_is_left_of_an_earlier_terminal_of_the_name_is_waited_for() -> None:
    cluster, _ = await a_running_terminal()
    cluster.remove(TERMINAL, *KEY)
    old_key = cluster.one(SECRET, KEY.namespace, NAMES[SECRET])["data"]
    cluster.put(terminal_body(uid="uid-second"))
    operator = Operator(cluster)
    await operator.run_once()
    assert operator.condition("Ready") == ("False", "WaitingForCleanup")
    assert [call.verb for call in cluster.writes] == ["apply_status"]
    cluster.collect_garbage()
    await operator.run_once()
    assert len(cluster.all(*CHILDREN)) == len(ALL)
    assert cluster.one(SECRET, KEY.namespace, NAMES[SECRET])["data"] != old_key


async def test_of_a_deleted_terminal_nothing_is_made_again_and_nothing_remembered() -> None:
    cluster, operator = await a_running_terminal()
    cluster.edit(TERMINAL, *KEY, lambda body: body["metadata"].update(finalizers=["foregroundDeletion"]))
    cluster.remove(TERMINAL, *KEY)
    cluster.remove(POD, KEY.namespace, NAMES[POD])
    assert await operator.run_once() is None
    cluster.edit(TERMINAL, *KEY, lambda body: body["metadata"].pop("finalizers"))
    cluster.remove(TERMINAL, *KEY)
    assert await operator.run_once() is None
    assert cluster.writes == []
    cluster.collect_garbage()
    assert cluster.all(*CHILDREN) == []


async def test_a_terminal_that_is_deleted_during_its_pass_is_no_error() -> None:
    cluster = a_cluster()

    def delete_it(call: Call) -> None:
        if call.verb == "apply_status":
            cluster.remove(TERMINAL, *KEY)

    cluster.before = delete_it
    assert await Operator(cluster).run_once() is None


async def test_a_status_is_not_written_over_a_terminal_that_was_made_anew() -> None:
    cluster = a_cluster()

    def make_anew(call: Call) -> None:
        if call.verb == "apply_status":
            cluster.remove(TERMINAL, *KEY)
            cluster.put(terminal_body(uid="uid-second"))

    cluster.before = make_anew
    with pytest.raises(ConflictError):
        await Operator(cluster).run_once()
    assert "status" not in cluster.one(TERMINAL, *KEY)


async def test_without_its_class_nothing_is_made() -> None:
    cluster = FakeCluster()
    cluster.put(terminal_body())
    operator = Operator(cluster)
    await operator.run_once()
    assert cluster.all(*CHILDREN) == []
    assert operator.condition("Accepted") == ("False", "ClassNotFound")
    assert operator.status()["phase"] == "Pending"
    cluster.put(class_body())
    await operator.run_once()
    assert len(cluster.all(*CHILDREN)) == len(ALL)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"className": "nowhere"}, "ClassNotFound"),
        ({"image": "elsewhere:1"}, "FieldNotOverridable"),
        ({"storage": {"size": "lots"}}, "InvalidSpec"),
        ({"tomorrow": True}, "InvalidSpec"),
    ],
    ids=str,
)
async def test_what_is_not_accepted_is_not_made_by_halves(spec: Manifest, reason: str) -> None:
    cluster = a_cluster(**spec)
    operator = Operator(cluster)
    assert await operator.run_once() is None
    assert cluster.all(*CHILDREN) == []
    assert operator.condition("Accepted") == ("False", reason)
    assert operator.condition("Ready") == ("False", reason)
    cluster.calls.clear()
    await operator.run_once()
    assert cluster.calls == []


async def test_a_terminal_that_is_no_longer_accepted_keeps_what_it_has() -> None:
    cluster, operator = await a_running_terminal()
    cluster.remove(TERMINAL_CLASS, "", "default")
    await operator.run_once()
    assert len(cluster.all(*CHILDREN)) == len(ALL)
    assert operator.condition("Accepted") == ("False", "ClassNotFound")
    assert operator.status()["phase"] == "Running"


async def test_a_class_that_cannot_be_read_is_named() -> None:
    cluster = a_cluster()
    cluster.edit(TERMINAL_CLASS, "", "default", lambda body: body["spec"].update(warmPool={}))
    operator = Operator(cluster)
    await operator.run_once()
    (accepted,) = (each for each in operator.status()["conditions"] if each["type"] == "Accepted")
    assert accepted["reason"] == "InvalidClass"
    assert "TerminalClass default spec.warmPool" in accepted["message"]


async def test_an_error_about_a_spec_does_not_repeat_what_was_in_it() -> None:
    cluster = a_cluster(env=[{"name": "TOKEN", "value": "hush", "tomorrow": "hush"}])
    operator = Operator(cluster)
    await operator.run_once()
    assert operator.condition("Accepted") == ("False", "InvalidSpec")
    assert "hush" not in str(operator.status())


async def test_a_running_pod_is_not_disturbed_by_a_change_that_needs_a_new_one() -> None:
    cluster, operator = await a_running_terminal()
    pod = cluster.one(POD, KEY.namespace, NAMES[POD])
    cluster.edit(TERMINAL_CLASS, "", "default", lambda body: body["spec"].update(image="newer:2"))
    await operator.run_once()
    operator.now += timedelta(seconds=60)
    await operator.run_once()
    assert cluster.one(POD, KEY.namespace, NAMES[POD]) == pod
    assert operator.condition("UpdatePending") == ("True", "PodOutOfDate")
    assert operator.condition("Ready") == ("True", "Ready")
    cluster.remove(POD, KEY.namespace, NAMES[POD])
    await operator.run_once()
    assert cluster.one(POD, KEY.namespace, NAMES[POD])["spec"]["containers"][0]["image"] == "newer:2"
    assert operator.condition("UpdatePending") == ("False", "UpToDate")


async def test_a_pod_that_never_started_is_replaced_when_it_is_out_of_date() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    cluster.edit(
        POD,
        KEY.namespace,
        NAMES[POD],
        set_status(phase="Pending", containerStatuses=[{"state": {"waiting": waiting}}]),
    )
    cluster.edit(TERMINAL_CLASS, "", "default", lambda body: body["spec"].update(image="newer:2"))
    again = await operator.run_once()
    assert again == pytest.approx(8.5)  # of the ten seconds that a pod lives at least
    operator.now += (
        operator.now - operator.now.replace(second=0, microsecond=0) + (operator.now - operator.now)
    )
    for _ in range(8):
        await operator.run_once()
    assert cluster.one(POD, KEY.namespace, NAMES[POD])["spec"]["containers"][0]["image"] == "newer:2"


async def test_another_type_of_route_takes_the_place_of_the_first() -> None:
    cluster, _ = await a_running_terminal()
    operator = Operator(cluster, Settings.model_validate({"routing": {"type": "Ingress"}}))
    await operator.run_once()
    assert sorted((call.verb, call.kind) for call in cluster.writes) == [
        ("apply_status", "Terminal"),
        ("create", "Ingress"),
        ("delete", "HTTPRoute"),
    ]
    assert cluster.all(HTTP_ROUTE) == []
    assert operator.condition("Routed") == ("True", "IngressInPlace")
    off = Operator(cluster, Settings.model_validate({"routing": {"type": "None"}}))
    await off.run_once()
    assert cluster.all(INGRESS) == []
    assert off.condition("Routed") == ("True", "NoRouteWanted")
    assert "url" not in off.status()


async def test_a_strangers_route_of_the_other_kind_is_not_deleted() -> None:
    cluster, operator = await a_running_terminal()
    metadata = {"namespace": KEY.namespace, "name": "terminal-alice", "labels": {}}
    metadata["labels"] = {"app.kubernetes.io/managed-by": "terminal-operator"}
    cluster.put({"apiVersion": INGRESS.api_version, "kind": "Ingress", "metadata": metadata, "spec": {}})
    await operator.run_once()
    assert len(cluster.all(INGRESS)) == 1


def refuse(kind: Kind, error: ClusterError, *, verb: str = "create") -> Callable[[Call], None]:
    def check(call: Call) -> None:
        if (call.verb, call.kind) == (verb, kind.name):
            raise error

    return check


@pytest.mark.parametrize("kind", ALL, ids=by_name)
async def test_what_the_cluster_refuses_is_said_and_tried_again_later(kind: Kind) -> None:
    cluster = a_cluster()
    cluster.before = refuse(kind, RejectedError("exceeded quota: one"))
    operator = Operator(cluster)
    assert await operator.run_once() == 30
    assert operator.condition("Ready") == ("False", "Rejected")
    (ready,) = (each for each in operator.status()["conditions"] if each["type"] == "Ready")
    assert ready["message"] == "exceeded quota: one"
    assert (cluster.all(POD) == []) == (kind in {SECRET, CLAIM, NETWORK_POLICY, POD})
    cluster.before = lambda _: None
    await operator.run_once()
    assert len(cluster.all(*CHILDREN)) == len(ALL)


async def test_a_home_that_cannot_grow_is_told_of_and_neither_ends_readiness_nor_the_next_pod() -> None:
    cluster, operator = await a_running_terminal()
    cluster.before = refuse(
        CLAIM, RejectedError("only dynamically provisioned pvc can be resized"), verb="apply"
    )
    cluster.edit(TERMINAL, KEY.namespace, KEY.name, lambda body: body["spec"].update(storage={"size": "9Gi"}))
    await operator.run_once()
    assert operator.condition("StorageReady") == ("False", "Rejected")
    assert operator.condition("Ready") == ("True", "Ready")
    assert operator.status()["phase"] == "Running"
    cluster.remove(POD, KEY.namespace, NAMES[POD])
    await operator.run_once()
    assert cluster.one(POD, KEY.namespace, NAMES[POD])


async def test_an_object_in_the_way_that_cannot_be_changed_is_reported_and_stops_nothing_else() -> None:
    cluster, operator = await a_running_terminal()
    cluster.edit(SERVICE, KEY.namespace, NAMES[SERVICE], lambda service: service["metadata"].pop("labels"))
    cluster.before = refuse(SERVICE, RejectedError("admission says no"), verb="merge")
    assert await operator.run_once() == 30
    assert operator.condition("Ready") == ("False", "Rejected")


async def test_a_child_that_is_gone_before_the_cache_knows_is_made_again() -> None:
    cluster, operator = await a_running_terminal()
    cluster.edit(NETWORK_POLICY, KEY.namespace, "terminal-alice", EDITS[NETWORK_POLICY])
    await operator.look()
    cluster.remove(NETWORK_POLICY, KEY.namespace, "terminal-alice")
    with pytest.raises(ConflictError):
        await operator.reconciler.reconcile(KEY)
    await operator.reconciler.reconcile(KEY)
    assert len(cluster.all(NETWORK_POLICY)) == 1


@pytest.mark.parametrize("verb", ["create", "apply_status"])
@pytest.mark.parametrize("error", [RetryLaterError("busy", after=3.0), ConflictError("changed")], ids=repr)
async def test_a_busy_cluster_ends_the_pass_and_a_later_one_completes_it(
    verb: str, error: ClusterError
) -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    total = 7
    for number in range(total):
        seen = iter(range(total))

        def fail(call: Call, seen: Any = seen, number: int = number) -> None:
            if call.verb == verb and next(seen) == number % (6 if verb == "create" else 1):
                raise error

        cluster.before = fail
        try:
            await operator.run_once()
        except type(error):
            continue
        break
    cluster.before = lambda _: None
    await operator.run_once()
    assert len(cluster.all(*CHILDREN)) == len(ALL)
    make_ready(cluster)
    await operator.run_once()
    assert operator.condition("Ready") == ("True", "Ready")


async def test_progress_that_nobody_waits_for_is_put_off_and_written_once() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    cluster.calls.clear()
    cluster.edit(CLAIM, KEY.namespace, NAMES[CLAIM], set_status(phase="Bound"))
    due = await operator.run_once()
    assert due is not None
    assert cluster.calls == []
    operator.now += timedelta(seconds=due)
    assert await operator.run_once() is None
    assert await operator.run_once() is None
    assert [call.verb for call in cluster.calls] == ["apply_status"]
    assert operator.condition("StorageReady") == ("True", "Bound")


async def test_a_clock_that_was_set_back_puts_a_status_off_no_longer() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    operator.now = START - timedelta(days=1)
    cluster.edit(CLAIM, KEY.namespace, NAMES[CLAIM], set_status(phase="Bound"))
    due = await operator.run_once()
    assert due is not None
    assert due <= 10


async def test_a_terminal_becomes_ready_at_once_however_recent_the_last_status_is() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    operator.now = START + timedelta(seconds=0.1)
    make_ready(cluster)
    assert await operator.run_once() is None
    assert operator.condition("Ready") == ("True", "Ready")


async def test_a_trouble_is_an_event_once_and_what_is_on_its_way_is_none() -> None:
    cluster = a_cluster()
    operator = Operator(cluster)
    await operator.run_once()
    assert cluster.all(EVENT) == []
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    cluster.edit(
        POD, KEY.namespace, NAMES[POD], set_status(containerStatuses=[{"state": {"waiting": waiting}}])
    )
    await operator.run_once()
    await operator.run_once()
    (event,) = cluster.all(EVENT)
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "ImagePullBackOff", "no such image")
    assert event["regarding"]["uid"] == "uid-terminal"


async def test_a_namespace_on_its_way_out_is_no_trouble_to_tell_of() -> None:
    cluster, operator = await a_running_terminal()
    refusal = "unable to create new content in namespace here because it is being terminated"
    cluster.before = refuse(POD, RejectedError(refusal))
    cluster.remove(POD, KEY.namespace, NAMES[POD])
    assert await operator.run_once() == 30
    assert operator.condition("Ready") == ("False", "NamespaceTerminating")
    assert not cluster.all(EVENT)


async def test_an_event_that_cannot_be_written_harms_nothing() -> None:
    cluster = a_cluster(className="nowhere")
    cluster.before = refuse(EVENT, RejectedError("forbidden"))
    operator = Operator(cluster)
    await operator.run_once()
    assert operator.condition("Accepted") == ("False", "ClassNotFound")


async def test_a_failed_pod_is_replaced_and_not_sooner_than_ten_seconds_after_its_creation() -> None:
    cluster, operator = await a_running_terminal()
    first = cluster.one(POD, KEY.namespace, NAMES[POD])["metadata"]["uid"]
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}
    cluster.edit(POD, KEY.namespace, NAMES[POD], set_status(**evicted))
    again = await operator.run_once()
    assert again == pytest.approx(7.0)
    assert operator.condition("Ready") == ("False", "Evicted")
    assert operator.status()["phase"] == "Failed"
    assert [call for call in cluster.writes if call.kind == "Pod"] == []
    operator.now = START + timedelta(seconds=10)
    await operator.run_once()
    await operator.run_once()
    assert cluster.one(POD, KEY.namespace, NAMES[POD])["metadata"]["uid"] != first


async def test_the_key_is_in_the_secret_alone_and_its_hash_beside_it() -> None:
    cluster = a_cluster()
    await Operator(cluster).run_once()
    data = cluster.one(SECRET, KEY.namespace, NAMES[SECRET])["data"]
    key = base64.b64decode(data["api-key"])
    assert base64.b64decode(data["api-key.sha256"]).decode() == hashlib.sha256(key).hexdigest()
    others = str([each for each in cluster.all() if each["kind"] != "Secret"])
    assert key.decode() not in others
    assert data["api-key"] not in others


async def test_an_emptied_key_is_reported_and_made_anew_only_when_the_secret_is_deleted() -> None:
    cluster, operator = await a_running_terminal()
    cluster.edit(SECRET, KEY.namespace, NAMES[SECRET], lambda secret: secret.pop("data"))
    await operator.run_once()
    assert operator.condition("Ready") == ("False", "KeyEmpty")
    assert "data" not in cluster.one(SECRET, KEY.namespace, NAMES[SECRET])
    cluster.remove(SECRET, KEY.namespace, NAMES[SECRET])
    await operator.run_once()
    assert operator.condition("Ready") == ("True", "Ready")


async def test_two_terminals_share_nothing() -> None:
    cluster = a_cluster()
    other = Key("team", "bob")
    cluster.put(terminal_body(other, uid="uid-bob"))
    operator = Operator(cluster)
    await operator.run_once()
    await operator.run_once(other)
    names = [(each["kind"], each["metadata"]["name"]) for each in cluster.all(*CHILDREN)]
    assert len(names) == len(set(names)) == 2 * len(ALL)
    keys = {secret["data"]["api-key"] for secret in cluster.all(SECRET)}
    assert len(keys) == 2
