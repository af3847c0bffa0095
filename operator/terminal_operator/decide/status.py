"""A Terminal's status: computed whole from what is known at the end of a pass."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from terminal_operator.api.models import Terminal
from terminal_operator.build.metadata import names_of
from terminal_operator.build.terminal import TerminalObjects
from terminal_operator.decide.acceptance import Violation
from terminal_operator.decide.observed import Observed
from terminal_operator.decide.pods import is_ready, pod_trouble, started_at
from terminal_operator.decide.writes import Plan, Role, is_deleting

Manifest = dict[str, Any]
ConditionStatus = Literal["True", "False", "Unknown"]

# An API server's or a kubelet's message can be pages long; a status with one too long would be refused.
_MESSAGE_LIMIT = 4096


@dataclass(frozen=True)
class Condition:
    """One aspect of a Terminal, as the Kubernetes API conventions have it."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """All that a status is made of."""

    terminal: Terminal
    class_name: str | None
    violation: Violation | None
    objects: TerminalObjects | None
    observed: Observed
    plan: Plan


def build_status(outcome: Outcome, previous: Manifest, now: datetime) -> Manifest:
    """Return the Terminal's status; a condition keeps its time while its status stays.

    Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
    """
    conditions = [compute(outcome) for compute in _CONDITIONS]
    before = {each["type"]: each for each in previous.get("conditions") or ()}
    generation = outcome.terminal.generation
    names = names_of(outcome.terminal)
    pod = outcome.observed.pod
    status: dict[str, Any] = {
        "phase": _phase(outcome, conditions),
        "className": outcome.class_name,
        "url": outcome.objects.url if outcome.objects and outcome.objects.route else None,
        "keySecretName": names.key_secret if outcome.observed.key else None,
        "podName": pod["metadata"]["name"] if pod else None,
        "serviceName": names.base if outcome.observed.service else None,
        "observedGeneration": generation,
        "lastStartTime": (started_at(pod) if pod else None) or previous.get("lastStartTime"),
        "conditions": [_stamp(each, before.get(each.type), generation, now) for each in conditions],
    }
    return {key: value for key, value in status.items() if value is not None}


def is_urgent(status: Manifest, previous: Manifest) -> bool:
    """Whether a changed status says something a person or a program waits for: anything but progress."""

    def summary(each: Manifest) -> tuple[Any, ...]:
        verdicts = tuple(
            (condition["type"], condition["status"])
            for condition in each.get("conditions") or ()
            if condition["type"] in {"Accepted", "Ready"}
        )
        return each.get("phase"), each.get("observedGeneration"), verdicts

    return summary(status) != summary(previous)


def _stamp(condition: Condition, before: Manifest | None, generation: int, now: datetime) -> Manifest:
    unchanged = before is not None and before["status"] == condition.status
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message[:_MESSAGE_LIMIT],
        "lastTransitionTime": before["lastTransitionTime"] if unchanged and before else _timestamp(now),
        "observedGeneration": generation,
    }


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _accepted(outcome: Outcome) -> Condition:
    if outcome.violation is not None:
        return Condition("Accepted", "False", outcome.violation.reason, outcome.violation.message)
    return Condition("Accepted", "True", "Accepted", f"within what class {outcome.class_name} allows")


def _storage_ready(outcome: Outcome) -> Condition:
    problem = outcome.plan.problems.get("home")
    if problem:
        return Condition("StorageReady", "False", problem.reason, problem.message)
    claim = outcome.observed.home
    if claim is None:
        return _not_yet("StorageReady", outcome)
    phase = (claim.get("status") or {}).get("phase", "Pending")
    if phase == "Bound":
        return Condition("StorageReady", "True", "Bound", "the home volume is there")
    if phase == "Lost":
        return Condition("StorageReady", "False", "Lost", "the volume under the home claim is gone")
    return Condition("StorageReady", "False", "Provisioning", "the home volume is being made")


def _network_isolated(outcome: Outcome) -> Condition:
    problem = outcome.plan.problems.get("policy")
    if problem:
        return Condition("NetworkIsolated", "False", problem.reason, problem.message)
    if outcome.observed.policy is None:
        return _not_yet("NetworkIsolated", outcome)
    return Condition("NetworkIsolated", "True", "PolicyInPlace", "the NetworkPolicy is in place")


def _routed(outcome: Outcome) -> Condition:
    problem = outcome.plan.problems.get("route") or outcome.plan.problems.get("service")
    if problem:
        return Condition("Routed", "False", problem.reason, problem.message)
    if outcome.objects is None:
        return _not_yet("Routed", outcome)
    if outcome.objects.route is None:
        return Condition("Routed", "True", "NoRouteWanted", "routing is off: the Service is the way in")
    route = outcome.observed.route
    if route is None:
        return _not_yet("Routed", outcome)
    if route["kind"] == "Ingress":
        # An Ingress controller has no common way to say that it took an Ingress.
        return Condition("Routed", "True", "IngressInPlace", "the Ingress is in place")
    return _http_route_condition(route)


def _http_route_condition(route: Manifest) -> Condition:
    parents = (route.get("status") or {}).get("parents") or ()
    if not parents:
        return Condition(
            "Routed", "False", "WaitingForGateway", "no Gateway controller has taken the route yet"
        )
    for parent in parents:
        refused = [each for each in parent.get("conditions") or () if each["status"] == "False"]
        accepted = any(each["type"] == "Accepted" for each in parent.get("conditions") or ())
        if accepted and not refused:
            return Condition("Routed", "True", "RouteAccepted", "the Gateway has taken the route")
    first = next(
        (each for parent in parents for each in parent.get("conditions") or () if each["status"] == "False"),
        None,
    )
    if first is None:
        return Condition(
            "Routed", "False", "WaitingForGateway", "no Gateway controller has taken the route yet"
        )
    return Condition("Routed", "False", first["reason"], first.get("message", ""))


def _update_pending(outcome: Outcome) -> Condition:
    if outcome.plan.update_pending:
        return Condition(
            "UpdatePending",
            "True",
            "PodOutOfDate",
            "the running pod is of an earlier definition and is not disturbed; delete it to have it made anew",
        )
    return Condition("UpdatePending", "False", "UpToDate", "")


def _ready(outcome: Outcome) -> Condition:
    if outcome.violation is not None:
        return Condition("Ready", "False", outcome.violation.reason, outcome.violation.message)
    if (blocked := _first_problem(outcome)) is not None:
        return blocked
    pod = outcome.observed.pod
    if pod is None:
        return Condition("Ready", "False", "Creating", "the pod is being made")
    if not is_ready(pod):
        if is_deleting(pod):
            return Condition("Ready", "False", "PodEnding", "the pod is ending, a new one follows")
        trouble = pod_trouble(pod)
        if trouble is not None:
            return Condition("Ready", "False", trouble.reason, trouble.message)
        return Condition("Ready", "False", "Starting", "the pod is starting")
    routed = _routed(outcome)
    if routed.status != "True":
        return Condition("Ready", "False", routed.reason, routed.message)
    return Condition("Ready", "True", "Ready", "the terminal answers")


def _first_problem(outcome: Outcome) -> Condition | None:
    roles: tuple[Role, ...] = ("key", "home", "policy", "service", "pod", "route")
    for role in roles:
        problem = outcome.plan.problems.get(role)
        if problem is not None and problem.blocks:
            return Condition("Ready", "False", problem.reason, problem.message)
    return None


def _not_yet(condition_type: str, outcome: Outcome) -> Condition:
    if outcome.violation is not None:
        return Condition(condition_type, "False", "NotAccepted", "the Terminal is not accepted")
    return Condition(condition_type, "False", "Creating", "being made")


def _phase(outcome: Outcome, conditions: list[Condition]) -> str:
    ready = next(each for each in conditions if each.type == "Ready")
    if ready.status == "True":
        return "Running"
    pod = outcome.observed.pod
    if outcome.violation is not None or _first_problem(outcome) is not None or pod is None:
        return "Running" if pod is not None and is_ready(pod) else "Pending"
    trouble = None if is_deleting(pod) else pod_trouble(pod)
    if trouble is None:
        return "Starting"
    return "Pending" if trouble.reason in {"Unschedulable", "SchedulingGated"} else "Failed"


_CONDITIONS: tuple[Callable[[Outcome], Condition], ...] = (
    _accepted,
    _storage_ready,
    _network_isolated,
    _routed,
    _update_pending,
    _ready,
)
