"""A status says how a Terminal is, in words that a person understands: the kubelet's own where there are any."""

from datetime import timedelta
from typing import Any

import pytest
from terminal_operator.decide.acceptance import Violation
from terminal_operator.decide.plan import make_plan
from terminal_operator.decide.status import Outcome, build_status, is_urgent
from terminal_operator.decide.writes import Problem

from tests.unit.operator.making import RUNNING, START, Manifest, terminal
from tests.unit.operator.test_decisions import LATER, objects, observed, there

ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}


def outcome(*, violation: Violation | None = None, problems: Any = None, **changed: Any) -> Outcome:
    route = there(objects().route, parents=[{"conditions": [ACCEPTED]}])
    seen = observed(**({"home": there(objects().home_claim, phase="Bound"), "route": route} | changed))
    plan = make_plan(terminal(), objects(), seen, new_key="new", now=LATER)
    plan.problems |= problems or {}
    wanted = None if violation else objects()
    return Outcome(terminal(), "default", violation, wanted, seen, plan)


def status(previous: Manifest | None = None, **changed: Any) -> Manifest:
    return build_status(outcome(**changed), previous or {}, LATER)


def condition(found: Manifest, wanted: str) -> tuple[str, str, str]:
    (each,) = (each for each in found["conditions"] if each["type"] == wanted)
    return each["status"], each["reason"], each["message"]


def test_a_running_terminal_says_where_it_is_and_where_its_key() -> None:
    found = status()
    assert {name: value for name, value in found.items() if name != "conditions"} == {
        "phase": "Running",
        "className": "default",
        "url": "http://localhost:8080/t/team/alice",
        "keySecretName": "terminal-alice-key",
        "podName": "terminal-alice",
        "serviceName": "terminal-alice",
        "observedGeneration": 1,
        "lastStartTime": "2026-01-01T00:00:02Z",
    }
    assert {each["type"]: each["status"] for each in found["conditions"]} == {
        "Accepted": "True",
        "StorageReady": "True",
        "NetworkIsolated": "True",
        "Routed": "True",
        "UpdatePending": "False",
        "Ready": "True",
    }


def pod(**found: Any) -> Manifest:
    return there(objects().pod, **found)


def waiting(reason: str, message: str = "", last: Manifest | None = None) -> Manifest:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"state": state, "lastState": last or {}}]}


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient memory.",
}
OUT_OF_MEMORY = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


@pytest.mark.parametrize(
    ("found", "phase", "reason", "words"),
    [
        ({"phase": "Pending"}, "Starting", "Starting", "the pod is starting"),
        (waiting("ContainerCreating"), "Starting", "Starting", "the pod is starting"),
        (waiting("ImagePullBackOff", "no such image"), "Failed", "ImagePullBackOff", "no such image"),
        (
            waiting("CreateContainerConfigError", "no Secret"),
            "Failed",
            "CreateContainerConfigError",
            "no Secret",
        ),
        (
            waiting("CrashLoopBackOff", "back-off 40s restarting failed container", OUT_OF_MEMORY),
            "Failed",
            "CrashLoopBackOff",
            "OOMKilled with exit code 137",
        ),
        (waiting("CrashLoopBackOff", "back-off 40s"), "Failed", "CrashLoopBackOff", "back-off 40s"),
        (waiting("ImagePullBackOff", "no image", OUT_OF_MEMORY), "Failed", "ImagePullBackOff", "no image"),
        ({"conditions": [UNSCHEDULABLE]}, "Pending", "Unschedulable", "1 Insufficient memory"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on disk"},
            "Failed",
            "Evicted",
            "low on disk",
        ),
        ({"phase": "Failed"}, "Failed", "Failed", "the pod has ended"),
        ({"phase": "Succeeded"}, "Failed", "Succeeded", "the pod has ended"),
    ],
    ids=str,
)
def test_a_pod_that_is_not_ready_gives_its_own_reason(
    found: Manifest, phase: str, reason: str, words: str
) -> None:
    result = status(pod=pod(**found))
    assert result["phase"] == phase
    verdict, said, message = condition(result, "Ready")
    assert (verdict, said) == ("False", reason)
    assert words in message


def test_a_pod_on_its_way_out_is_not_ready_whatever_it_says() -> None:
    ending = pod(**RUNNING)
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = status(pod=ending)
    assert found["phase"] == "Starting"
    assert condition(found, "Ready")[:2] == ("False", "PodEnding")


@pytest.mark.parametrize(
    ("parents", "verdict", "reason"),
    [
        ([], "False", "WaitingForGateway"),
        ([{"conditions": []}], "False", "WaitingForGateway"),
        ([{"conditions": [ACCEPTED]}], "True", "RouteAccepted"),
        (
            [{"conditions": [{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners"}]}],
            "False",
            "NotAllowedByListeners",
        ),
        (
            [
                {
                    "conditions": [
                        ACCEPTED,
                        {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"},
                    ]
                }
            ],
            "False",
            "BackendNotFound",
        ),
        (
            [
                {"conditions": [{"type": "Accepted", "status": "False", "reason": "NoMatchingParent"}]},
                {"conditions": [ACCEPTED]},
            ],
            "True",
            "RouteAccepted",
        ),
    ],
)
def test_a_route_is_there_when_a_gateway_says_so(parents: list[Manifest], verdict: str, reason: str) -> None:
    found = status(route=there(objects().route, parents=parents))
    assert condition(found, "Routed")[:2] == (verdict, reason)
    assert condition(found, "Ready")[0] == verdict


@pytest.mark.parametrize(
    ("claim", "verdict", "reason"),
    [("Bound", "True", "Bound"), ("Pending", "False", "Provisioning"), ("Lost", "False", "Lost")],
)
def test_a_home_is_there_when_its_claim_is_bound(claim: str, verdict: str, reason: str) -> None:
    found = status(home=there(objects().home_claim, phase=claim))
    assert condition(found, "StorageReady")[:2] == (verdict, reason)


@pytest.mark.parametrize(
    ("role", "told"),
    [("home", "StorageReady"), ("policy", "NetworkIsolated"), ("service", "Routed"), ("route", "Routed")],
)
def test_a_problem_is_told_where_it_belongs_and_makes_the_terminal_not_ready(role: str, told: str) -> None:
    found = status(problems={role: Problem("Rejected", "exceeded quota")})
    assert condition(found, told) == ("False", "Rejected", "exceeded quota")
    assert condition(found, "Ready") == ("False", "Rejected", "exceeded quota")
    assert found["phase"] == "Running"  # the pod still is


def test_what_is_not_accepted_says_why_and_nothing_is_being_made() -> None:
    nothing = dict.fromkeys(("key", "home", "policy", "service", "pod", "route"))
    found = status(violation=Violation("LimitExceeded", "spec.storage.size 1Ti"), **nothing)
    assert condition(found, "Accepted") == ("False", "LimitExceeded", "spec.storage.size 1Ti")
    assert condition(found, "Ready") == ("False", "LimitExceeded", "spec.storage.size 1Ti")
    assert {condition(found, each)[1] for each in ("StorageReady", "NetworkIsolated", "Routed")} == {
        "NotAccepted"
    }
    assert found["phase"] == "Pending"
    assert not {"url", "podName", "keySecretName"} & set(found)


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    starting = build_status(outcome(pod=pod(phase="Pending")), {}, START)
    stuck = build_status(
        outcome(pod=pod(**waiting("ImagePullBackOff"))), starting, START + timedelta(seconds=5)
    )
    running = build_status(outcome(), stuck, START + timedelta(seconds=9))

    def turned(found: Manifest) -> str:
        (ready,) = (each for each in found["conditions"] if each["type"] == "Ready")
        return str(ready["lastTransitionTime"])

    assert [turned(each) for each in (starting, stuck, running)] == [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:09Z",
    ]
    assert {each["lastTransitionTime"] for each in running["conditions"] if each["type"] == "Accepted"} == {
        "2026-01-01T00:00:00Z"
    }


def test_the_same_again_is_the_same_status_whenever_it_is_computed() -> None:
    first = status()
    assert build_status(outcome(), first, LATER + timedelta(days=1)) == first


def test_the_time_of_the_last_start_outlives_the_pod() -> None:
    assert status(status(), pod=None)["lastStartTime"] == "2026-01-01T00:00:02Z"


def test_a_message_of_many_pages_is_cut_to_what_a_status_holds() -> None:
    found = status(problems={"pod": Problem("Rejected", "x" * 100_000)})
    assert len(condition(found, "Ready")[2]) < 32_768


@pytest.mark.parametrize(
    ("before", "after", "urgent"),
    [
        ({"pod": pod(phase="Pending")}, {}, True),
        ({}, {"pod": pod(phase="Failed")}, True),
        ({}, {"violation": Violation("LimitExceeded", "")}, True),
        ({"home": there(objects().home_claim)}, {}, False),
        (
            {"pod": pod(phase="Pending")},
            {"pod": pod(phase="Pending"), "home": there(objects().home_claim)},
            False,
        ),
    ],
)
def test_only_what_somebody_waits_for_is_urgent(before: Manifest, after: Manifest, urgent: bool) -> None:  # noqa: FBT001
    earlier = status(**before)
    assert is_urgent(status(earlier, **after), earlier) is urgent


def test_a_first_status_and_one_of_a_new_generation_are_urgent() -> None:
    assert is_urgent(status(), {})
    assert is_urgent(status(), {**status(), "observedGeneration": 0})
    assert not is_urgent(status(), status())
