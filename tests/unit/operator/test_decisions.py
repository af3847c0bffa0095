"""From what is wanted and what is there to what is written, and what is never touched."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from terminal_operator.build.key import build_key_secret
from terminal_operator.build.terminal import TerminalObjects, build_terminal
from terminal_operator.decide.observed import Observed
from terminal_operator.decide.plan import make_plan
from terminal_operator.decide.writes import Apply, Create, Delete, Plan, fit_home_claim
from terminal_operator.settings import Settings

from tests.unit.operator.making import RUNNING, START, Manifest, terminal, terminal_class

LATER = START + timedelta(minutes=1)


def objects(**spec: Any) -> TerminalObjects:
    return build_terminal(terminal(**spec), terminal_class(), Settings())


def there(manifest: Manifest | None, **status: Any) -> Manifest:
    """Return an object as the API server holds it."""
    assert manifest is not None
    found = copy.deepcopy(manifest)
    found["metadata"] |= {
        "uid": f"uid-{found['kind']}",
        "resourceVersion": "1",
        "creationTimestamp": START.isoformat().replace("+00:00", "Z"),
    }
    return found | {"status": status}


def observed(**changed: Any) -> Observed:
    """Return everything as it should be, but what is changed."""
    wanted = objects()
    whole: dict[str, Any] = {
        "key": there(build_key_secret(terminal(), "key")),
        "home": there(wanted.home_claim),
        "policy": there(wanted.network_policy),
        "service": there(wanted.service),
        "pod": there(wanted.pod, **RUNNING),
        "route": there(wanted.route),
        "other_routes": (),
    }
    return Observed(**(whole | changed))


def planned(now: Any = LATER, **changed: Any) -> Plan:
    return make_plan(terminal(), objects(), observed(**changed), new_key="new", now=now)


def without_owner(manifest: Manifest | None) -> Manifest:
    found = there(manifest)
    del found["metadata"]["ownerReferences"]
    return found


def of_an_earlier_terminal(manifest: Manifest | None) -> Manifest:
    found = there(manifest)
    found["metadata"]["ownerReferences"][0]["uid"] = "uid-earlier"
    return found


def going(manifest: Manifest | None) -> Manifest:
    found = there(manifest)
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return found


def test_where_all_is_as_it_should_be_nothing_is_planned() -> None:
    plan = planned()
    assert (plan.writes, plan.problems, plan.update_pending, plan.look_again) == ([], {}, False, None)


def test_where_nothing_is_there_everything_is_made() -> None:
    plan = planned(**dict.fromkeys(("key", "home", "policy", "service", "pod", "route")))
    assert {type(write) for write in plan.writes} == {Create}
    assert sorted(write.role for write in plan.writes) == ["home", "key", "pod", "policy", "route", "service"]


@pytest.mark.parametrize("role", ["home", "policy", "service", "route"])
def test_an_edited_object_is_applied_and_only_to_that_very_object(role: str) -> None:
    edited = copy.deepcopy(getattr(observed(), role))
    edited["metadata"]["labels"]["app.kubernetes.io/name"] = "other"
    (write,) = planned(**{role: edited}).writes
    assert isinstance(write, Apply)
    assert write.manifest["metadata"]["uid"] == edited["metadata"]["uid"]
    assert "resourceVersion" not in write.manifest["metadata"]


ROLES = {"key": "key", "home": "home_claim", "policy": "network_policy", "service": "service", "pod": "pod"}


def wanted_of(role: str) -> Manifest:
    if role == "key":
        return build_key_secret(terminal(), "key")
    manifest: Manifest = getattr(objects(), ROLES.get(role, role))
    return manifest


@pytest.mark.parametrize("role", [*ROLES, "route"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_owner, "ForeignObject"),
        (of_an_earlier_terminal, "WaitingForCleanup"),
        (going, "BeingDeleted"),
    ],
    ids=["foreign", "of an earlier Terminal", "on its way out"],
)
def test_what_is_not_ours_or_is_going_is_not_touched_and_named(role: str, change: Any, reason: str) -> None:
    plan = planned(**{role: change(wanted_of(role))})
    assert plan.writes == []
    if (role, reason) == ("pod", "BeingDeleted"):
        assert plan.problems == {}  # a pod that ends is nothing unusual
        return
    (problem,) = plan.problems.values()
    assert problem.reason == reason
    assert wanted_of(role)["metadata"]["name"] in problem.message or role == "key"


@pytest.mark.parametrize("role", ["key", "home", "policy"])
def test_no_pod_is_made_while_something_it_needs_is_not_its_own(role: str) -> None:
    plan = planned(**{role: without_owner(wanted_of(role)), "pod": None})
    assert plan.writes == []


def test_routes_of_another_kind_are_removed_where_they_are_ours() -> None:
    ours, theirs = there(objects().route), without_owner(objects().route)
    plan = planned(
        other_routes=(ours, theirs, going(objects().route), of_an_earlier_terminal(objects().route))
    )
    assert plan.writes == [Delete("route", ours)]


def outdated(**status: Any) -> Manifest:
    pod = there(objects(env=[{"name": "OLD", "value": "1"}]).pod, **status)
    assert pod["metadata"]["annotations"] != objects().pod["metadata"]["annotations"]
    return pod


def test_a_running_pod_that_is_out_of_date_is_not_disturbed() -> None:
    plan = planned(pod=outdated(**RUNNING))
    assert plan.writes == []
    assert plan.update_pending


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"phase": "Pending"},
        {"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
    ],
    ids=str,
)
def test_a_pod_out_of_date_in_which_nobody_works_is_replaced(status: Manifest) -> None:
    pod = outdated(**status)
    assert planned(pod=pod).writes == [Delete("pod", pod)]


def test_what_admission_made_of_a_pod_is_left_as_it_is() -> None:
    pod = there(objects().pod, **RUNNING)
    (container,) = pod["spec"]["containers"]
    container |= {"imagePullPolicy": "Always", "resources": {"requests": {"cpu": "7"}}, "env": []}
    pod["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    pod["spec"]["securityContext"] |= {"fsGroup": 7}
    assert planned(pod=pod).writes == []


def test_an_image_that_somebody_changed_is_put_back() -> None:
    pod = there(objects().pod, **RUNNING)
    pod["spec"]["containers"][0]["image"] = "other"
    (write,) = planned(pod=pod).writes
    assert isinstance(write, Apply)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_an_ended_pod_is_replaced_but_not_sooner_than_ten_seconds_after_its_creation(phase: str) -> None:
    pod = there(objects().pod, phase=phase)
    early = planned(START + timedelta(seconds=4), pod=pod)
    assert (early.writes, early.look_again) == ([], timedelta(seconds=6))
    late = planned(START + timedelta(seconds=10), pod=pod)
    assert (late.writes, late.look_again) == ([Delete("pod", pod)], None)


@pytest.mark.parametrize(
    ("have", "want", "kept"),
    [("1Gi", "2Gi", "2Gi"), ("2Gi", "1Gi", "2Gi"), ("1024Mi", "1Gi", "1Gi")],
)
def test_a_claim_grows_and_never_shrinks(have: str, want: str, kept: str) -> None:
    wanted = objects(storage={"size": want}).home_claim
    fitted = fit_home_claim(wanted, there(objects(storage={"size": have}).home_claim))
    assert fitted["spec"]["resources"]["requests"]["storage"] == kept


def test_a_claim_keeps_the_storage_class_it_was_made_with() -> None:
    wanted = objects(storage={"storageClassName": "new"}).home_claim
    assert fit_home_claim(wanted, None)["spec"]["storageClassName"] == "new"
    found = there(objects(storage={"storageClassName": "old"}).home_claim)
    assert "storageClassName" not in fit_home_claim(wanted, found)["spec"]
    assert planned(home=found).writes == []


def test_a_plan_never_writes_a_key_over_one_that_is_there() -> None:
    spoilt = there(build_key_secret(terminal(), "key"))
    spoilt["metadata"]["labels"] = {}
    spoilt["data"]["api-key.sha256"] = "bm9uZQ=="
    (write,) = planned(key=spoilt).writes
    assert "api-key" not in write.manifest["data"]
    assert write.manifest["metadata"]["resourceVersion"] == "1"
