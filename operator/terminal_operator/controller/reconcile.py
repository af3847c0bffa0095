"""One pass over one Terminal: gather, build, decide, act, and one status write.

Level-based: a pass looks at how things are, never at what happened, so that it may run at any time, twice, or
after a crash in the middle of an earlier one.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from terminal_operator.api.group import API_VERSION
from terminal_operator.api.models import Terminal, TerminalClass, parse_class, parse_terminal
from terminal_operator.build.terminal import build_terminal
from terminal_operator.controller.act import Actor
from terminal_operator.controller.cache import Cache, Key
from terminal_operator.decide.acceptance import Violation, find_violation
from terminal_operator.decide.observed import Observed
from terminal_operator.decide.plan import make_plan
from terminal_operator.decide.status import Outcome, build_status, is_urgent
from terminal_operator.decide.writes import Plan, is_deleting
from terminal_operator.kube.cluster import Cluster
from terminal_operator.kube.errors import NotFoundError
from terminal_operator.kube.events import EventRecorder
from terminal_operator.kube.kinds import CLAIM, NETWORK_POLICY, POD, ROUTES, SECRET, SERVICE, TERMINAL, Kind
from terminal_operator.names import TerminalNames
from terminal_operator.settings import Settings

Manifest = dict[str, Any]

# Progress that nobody waits for is not written more often than this: a start is one write at its begin and one at
# its end, not one for every step between.
_STATUS_INTERVAL_SECONDS = 5.0
# How soon something refused (a quota, a stranger's object that no watch shows) is looked at again.
_REFUSED_AGAIN_SECONDS = 30.0


class Reconciler:
    """Brings Terminals to what their spec, class and the settings say."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        cache: Cache,
        settings: Settings,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_key: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._settings = settings
        self._events = events
        self._now = now
        self._new_key = new_key
        self._status_written: dict[Key, datetime] = {}
        self._actor = Actor(cluster=cluster, cache=cache)

    async def reconcile(self, key: Key) -> float | None:
        """Make one pass; returns in how many seconds another is wanted, or None.

        Raises:
            RetryLaterError, ConflictError: the pass could not be finished and must be tried again.
        """
        body = self._cache.terminal(key)
        if body is None:
            self._status_written.pop(key, None)
            self._actor.forget(key)
            return None
        if is_deleting(body):
            return None  # the garbage collector has it from here
        try:
            terminal = parse_terminal(body)
        except ValidationError as error:
            return await self._refuse(body, Violation("InvalidSpec", _first_error(error, "spec")))
        terminal_class, violation = self._find_class(terminal)
        if terminal_class is None or violation is not None:
            observed = self._gather(key)
            outcome = Outcome(
                terminal=terminal,
                class_name=terminal_class.name if terminal_class else None,
                violation=violation,
                objects=None,
                observed=observed,
                plan=Plan(),
            )
            return await self._write_status(key, body, outcome)
        return await self._converge(key, body, terminal, terminal_class)

    async def _converge(
        self, key: Key, body: Manifest, terminal: Terminal, terminal_class: TerminalClass
    ) -> float | None:
        objects = build_terminal(terminal, terminal_class, self._settings)
        observed = self._gather(key)
        plan = make_plan(terminal, objects, observed, new_key=self._new_key(), now=self._now())
        await self._actor.act(plan, terminal)
        outcome = Outcome(
            terminal=terminal,
            class_name=terminal_class.name,
            violation=None,
            objects=objects,
            observed=self._gather(key),
            plan=plan,
        )
        again = await self._write_status(key, body, outcome)
        if plan.problems:
            again = min(again or _REFUSED_AGAIN_SECONDS, _REFUSED_AGAIN_SECONDS)
        if plan.look_again is not None:
            seconds = plan.look_again.total_seconds()
            again = min(again or seconds, seconds)
        return again

    def _find_class(self, terminal: Terminal) -> tuple[TerminalClass | None, Violation | None]:
        name = terminal.spec.class_name
        body = self._cache.terminal_class(name)
        if body is None:
            what = (
                f"TerminalClass {name} does not exist"
                if name
                else "no TerminalClass is marked as the default"
            )
            return None, Violation("ClassNotFound", what)
        try:
            terminal_class = parse_class(body)
        except ValidationError as error:
            where = f"TerminalClass {body['metadata']['name']} spec"
            return None, Violation("InvalidClass", _first_error(error, where))
        return terminal_class, find_violation(terminal, terminal_class)

    def _gather(self, key: Key) -> Observed:
        names = TerminalNames(key.namespace, key.name)

        def get(kind: Kind, name: str) -> Manifest | None:
            return self._cache.get(kind, key.namespace, name)

        wanted = {"Gateway": "HTTPRoute", "Ingress": "Ingress"}.get(self._settings.routing.type)
        routes = {kind.name: route for kind in ROUTES if (route := get(kind, names.base)) is not None}
        return Observed(
            key=get(SECRET, names.key_secret),
            home=get(CLAIM, names.home_claim),
            policy=get(NETWORK_POLICY, names.base),
            service=get(SERVICE, names.base),
            pod=get(POD, names.base),
            route=routes.get(wanted or ""),
            other_routes=tuple(route for kind, route in routes.items() if kind != wanted),
        )

    async def _refuse(self, body: Manifest, violation: Violation) -> float | None:
        """Report a Terminal whose spec the operator cannot read; what it has is left as it is."""
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        terminal = parse_terminal({**body, "spec": {"user": str(body.get("spec", {}).get("user", ""))}})
        outcome = Outcome(terminal, None, violation, None, self._gather(key), Plan())
        return await self._write_status(key, body, outcome)

    async def _write_status(self, key: Key, body: Manifest, outcome: Outcome) -> float | None:
        """Write the status where it changed, and then the Events; returns when a put-off write is due."""
        latest = self._cache.terminal(key) or body
        previous = latest.get("status") or {}
        now = self._now()
        status = build_status(outcome, previous, now)
        if status == previous:
            return None
        written = self._status_written.get(key)
        if written is not None and not is_urgent(status, previous):
            due = _STATUS_INTERVAL_SECONDS - (now - written).total_seconds()
            if due > 0:
                return min(due, _STATUS_INTERVAL_SECONDS)  # the clock may have been set back
        try:
            written_body = await self._cluster.apply_status(_status_manifest(latest, status))
        except NotFoundError:
            return None  # deleted during the pass
        self._cache.observe(written_body)
        self._status_written[key] = now
        await self._events.report(outcome.terminal, status, previous)
        return None


def _status_manifest(body: Manifest, status: Manifest) -> Manifest:
    # By the version, because for a status the API server does not look at the uid.
    named = {field: body["metadata"][field] for field in ("namespace", "name", "resourceVersion")}
    return {"apiVersion": API_VERSION, "kind": TERMINAL.name, "metadata": named, "status": status}


def _first_error(error: ValidationError, prefix: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join((prefix, *(str(part) for part in first["loc"])))
    return f"{path}: {first['msg']}"
