"""One pass's plan: every child of a Terminal, compared with what is there."""

from datetime import datetime

from terminal_operator.api.models import Terminal
from terminal_operator.build.key import build_key_secret, key_is_lost, repair_key_secret
from terminal_operator.build.terminal import TerminalObjects
from terminal_operator.decide.observed import Observed
from terminal_operator.decide.writes import (
    Create,
    Delete,
    Merge,
    Plan,
    Problem,
    decide_child,
    decide_pod,
    fit_home_claim,
    is_deleting,
    owner_uid,
    stranger,
)


def make_plan(
    terminal: Terminal, objects: TerminalObjects, observed: Observed, *, new_key: str, now: datetime
) -> Plan:
    """Return what must be written for an accepted Terminal to be as its spec, class and settings say.

    Args:
        terminal: the Terminal.
        objects: its children as they should be.
        observed: its children as they are.
        new_key: a fresh random key, used only where the Terminal has none yet.
        now: the time.
    """
    plan = Plan()
    uid = terminal.uid
    prepared = [
        _decide_key(plan, terminal, observed, new_key),
        decide_child(plan, "home", fit_home_claim(objects.home_claim, observed.home), observed.home, uid),
        decide_child(plan, "policy", objects.network_policy, observed.policy, uid),
    ]
    decide_child(plan, "service", objects.service, observed.service, uid)
    if objects.route is not None:
        decide_child(plan, "route", objects.route, observed.route, uid)
    for route in observed.other_routes:
        if owner_uid(route) == uid and not is_deleting(route):
            plan.writes.append(Delete("route", route))
    decide_pod(plan, objects.pod, observed.pod, uid, prepared=all(prepared), now=now)
    return plan


def _decide_key(plan: Plan, terminal: Terminal, observed: Observed, new_key: str) -> bool:
    """Plan the key: made when there is none, and from then on never written, whatever happens to the rest."""
    secret = observed.key
    if secret is None:
        plan.writes.append(Create("key", build_key_secret(terminal, new_key)))
        return True
    if owner_uid(secret) != terminal.uid:
        # The key of an earlier Terminal of the same name is garbage too; it opens nothing any more.
        plan.problems["key"] = stranger(build_key_secret(terminal, ""), secret)
        return False
    if is_deleting(secret):
        plan.problems["key"] = Problem("BeingDeleted", "the key is being deleted, and then made anew")
        return False
    if key_is_lost(secret):
        plan.problems["key"] = Problem(
            "KeyEmpty", f"Secret {secret['metadata']['name']} holds no key; delete it to have a new one made"
        )
    repair = repair_key_secret(terminal, secret)
    if repair is not None:
        plan.writes.append(Merge("key", repair))
    return True
