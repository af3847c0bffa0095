"""Which objects must be written: from what is wanted and what is there, to a list of writes and what blocks them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from terminal_operator.api.group import POD_TEMPLATE_ANNOTATION
from terminal_operator.api.quantity import parse_quantity
from terminal_operator.decide.drift import differs

Manifest = dict[str, Any]
Role = Literal["key", "home", "policy", "service", "pod", "route"]

# A pod that fails as soon as it is made is not made again faster than this.
SHORTEST_POD_LIFE = timedelta(seconds=10)


@dataclass(frozen=True)
class Create:
    """Make an object that is not there."""

    role: Role
    manifest: Manifest


@dataclass(frozen=True)
class Apply:
    """Bring an object back to what is wanted; the manifest names its uid, so that no other can be hit."""

    role: Role
    manifest: Manifest


@dataclass(frozen=True)
class Merge:
    """Put single fields right in exactly the version of the object that the manifest names, and touch no other."""

    role: Role
    manifest: Manifest


@dataclass(frozen=True)
class Delete:
    """Remove exactly this object."""

    role: Role
    manifest: Manifest


Write = Create | Apply | Merge | Delete


@dataclass(frozen=True)
class Problem:
    """Why one part of a Terminal is not as it should be: a word for programs, a sentence for people."""

    reason: str
    message: str
    blocks: bool = True
    """Whether the Terminal cannot be ready for it."""


@dataclass
class Plan:
    """What one pass writes, and what it cannot."""

    writes: list[Write] = field(default_factory=list)
    problems: dict[Role, Problem] = field(default_factory=dict)
    update_pending: bool = False
    look_again: timedelta | None = None


def owner_uid(manifest: Manifest) -> str | None:
    """Return the uid of the object's controlling owner."""
    for reference in manifest["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return None


def is_deleting(manifest: Manifest) -> bool:
    """Whether the object is on its way out."""
    return "deletionTimestamp" in manifest["metadata"]


def stranger(desired: Manifest, found: Manifest) -> Problem:
    """The problem of an object in the way: of an earlier Terminal of this name, or of somebody else."""
    what = f"{desired['kind']} {desired['metadata']['name']}"
    if _of_earlier_terminal(desired, found):
        return Problem(
            "WaitingForCleanup", f"{what} of an earlier Terminal of this name is still being removed"
        )
    return Problem(
        "ForeignObject",
        f"{what} exists and does not belong to this Terminal; it is left alone: rename or delete it",
    )


def decide_child(plan: Plan, role: Role, desired: Manifest, observed: Manifest | None, uid: str) -> bool:
    """Plan the write of one child where it needs one; returns whether the child is there and its own."""
    if observed is None:
        plan.writes.append(Create(role, desired))
        return True
    if owner_uid(observed) != uid:
        plan.problems[role] = stranger(desired, observed)
        return False
    if is_deleting(observed):
        plan.problems[role] = Problem(
            "BeingDeleted",
            f"{observed['kind']} {observed['metadata']['name']} is being deleted, and then made anew",
        )
        return False
    if differs(desired, observed):
        plan.writes.append(Apply(role, with_uid(desired, observed)))
    return True


def with_uid(desired: Manifest, observed: Manifest) -> Manifest:
    """Return the manifest bound to one object: an apply to another of the same name is refused."""
    return {**desired, "metadata": {**desired["metadata"], "uid": observed["metadata"]["uid"]}}


def _of_earlier_terminal(desired: Manifest, observed: Manifest) -> bool:
    """Whether the controlling owner was a Terminal of this name, with another uid: garbage, soon collected."""
    wanted = desired["metadata"]["ownerReferences"][0]
    return any(
        reference.get("controller")
        and (reference.get("apiVersion"), reference.get("kind"), reference.get("name"))
        == (wanted["apiVersion"], wanted["kind"], wanted["name"])
        for reference in observed["metadata"].get("ownerReferences") or ()
    )


def fit_home_claim(desired: Manifest, observed: Manifest | None) -> Manifest:
    """Keep of an existing claim what can never change: its storage class, and that it does not shrink."""
    if observed is None:
        return desired
    spec = {key: value for key, value in desired["spec"].items() if key != "storageClassName"}
    have = (observed.get("spec") or {}).get("resources", {}).get("requests", {}).get("storage", "0")
    want = spec["resources"]["requests"]["storage"]
    if parse_quantity(have) > parse_quantity(want):
        spec["resources"] = {"requests": {"storage": have}}
    return {**desired, "spec": spec}


def decide_pod(
    plan: Plan, desired: Manifest, observed: Manifest | None, uid: str, *, prepared: bool, now: datetime
) -> None:
    """Plan what happens to the pod: made when all it needs is there, never ended while it works.

    Args:
        plan: what is decided is added here.
        desired: the pod as it should be.
        observed: the pod as it is, if it is.
        uid: the Terminal's.
        prepared: whether key, home and policy are there: without a policy in place no pod is started.
        now: the time, to slow down a pod that fails at once, again and again.
    """
    if observed is None:
        if prepared:
            plan.writes.append(Create("pod", desired))
        return
    if owner_uid(observed) != uid:
        plan.problems["pod"] = stranger(desired, observed)
        return
    if is_deleting(observed):
        return
    out_of_date = _template(observed) != _template(desired)
    ended = (observed.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    if ended or (out_of_date and not has_started(observed)):
        wait = _created(observed) + SHORTEST_POD_LIFE - now
        if wait > timedelta(0):
            plan.look_again = wait
        else:
            plan.writes.append(Delete("pod", observed))
    elif out_of_date:
        plan.update_pending = True
    elif differs(_changeable(desired), observed):
        plan.writes.append(Apply("pod", with_uid(desired, observed)))


def _changeable(pod: Manifest) -> Manifest:
    """Return what of a pod can be put right: the rest stays as admission let it in, and cannot be written again."""
    containers = [{field: each[field] for field in ("name", "image")} for each in pod["spec"]["containers"]]
    return {**pod, "spec": {"containers": containers}}


def has_started(pod: Manifest) -> bool:
    """Whether the pod's container runs now, so that somebody may be working in it."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any("running" in (status.get("state") or {}) for status in statuses)


def _template(pod: Manifest) -> str | None:
    annotations: dict[str, str] = pod["metadata"].get("annotations") or {}
    return annotations.get(POD_TEMPLATE_ANNOTATION)


def _created(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest["metadata"]["creationTimestamp"])
