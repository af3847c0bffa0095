"""The operator may do exactly what it does, and people get what their roles in a namespace say."""

import pytest
from terminal_operator.kube.kinds import WATCHED

from tests.chart.helm_cli import Helm, Manifest, Rendered

WATCH = {"list", "watch"}
READ = {"get", *WATCH}
KEPT = {*READ, "create", "patch"}
MADE_ANEW = {*KEPT, "delete"}
LEFT_OVER = {*WATCH, "delete"}

CLUSTER = {
    "terminal-operator.dev/terminals": WATCH,
    "terminal-operator.dev/terminalclasses": WATCH,
    "terminal-operator.dev/terminals/status": {"patch"},
    "terminal-operator.dev/terminals/finalizers": {"update"},
    "/secrets": KEPT,
    "/persistentvolumeclaims": KEPT,
    "/services": KEPT,
    "/pods": MADE_ANEW,
    "networking.k8s.io/networkpolicies": KEPT,
    "events.k8s.io/events": {"create"},
    "apiextensions.k8s.io/customresourcedefinitions": WATCH,
}
HTTP_ROUTES, INGRESSES = "gateway.networking.k8s.io/httproutes", "networking.k8s.io/ingresses"
ROUTES = {
    "Gateway": {HTTP_ROUTES: MADE_ANEW, INGRESSES: LEFT_OVER},
    "Ingress": {HTTP_ROUTES: LEFT_OVER, INGRESSES: MADE_ANEW},
    "None": {HTTP_ROUTES: LEFT_OVER, INGRESSES: LEFT_OVER},
}


def permissions(role: Manifest) -> dict[str, set[str]]:
    """Return the verbs of a role by `group/resource`; a resource stands in one rule only."""
    found: dict[str, set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                assert f"{group}/{resource}" not in found
                found[f"{group}/{resource}"] = set(rule["verbs"])
    return found


@pytest.mark.parametrize("routing", ROUTES)
def test_the_operator_may_do_exactly_this_in_every_namespace(routing: str, helm: Helm) -> None:
    role = helm.set(settings__routing__type=routing).one("ClusterRole")
    assert permissions(role) == CLUSTER | ROUTES[routing]


@pytest.mark.parametrize("routing", ROUTES)
def test_the_operator_may_watch_every_kind_that_it_watches(routing: str, helm: Helm) -> None:
    allowed = permissions(helm.set(settings__routing__type=routing).one("ClusterRole"))
    assert [kind for kind in WATCHED if not allowed[f"{kind.group}/{kind.plural}"] >= WATCH] == []


def test_the_operator_may_hold_its_lease_and_nothing_else_in_its_own_namespace(helm: Helm) -> None:
    role = helm.set(settings__leaseName="mine").one("Role", "terminal-operator-leader-election")
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    assert role["rules"] == [
        lease | {"resourceNames": ["mine"], "verbs": ["get", "update"]},
        lease | {"verbs": ["create"]},
    ]


def test_the_roles_are_bound_to_the_operator_alone(default: Rendered) -> None:
    operator = {"kind": "ServiceAccount", "name": "terminal-operator", "namespace": "terminal-operator"}
    bindings = [*default.all("ClusterRoleBinding"), *default.all("RoleBinding")]
    assert [binding["subjects"] for binding in bindings] == [[operator], [operator]]
    assert [binding["roleRef"]["name"] for binding in bindings] == [
        "terminal-operator",
        "terminal-operator-leader-election",
    ]


def test_nobody_gets_a_wildcard(default: Rendered) -> None:
    for role in (*default.all("ClusterRole"), *default.all("Role")):
        for rule in role["rules"]:
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}


def aggregated_to(role: Manifest) -> set[str]:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = role["metadata"]["labels"]
    return {name.removeprefix(prefix) for name in labels if name.startswith(prefix)}


def test_who_may_view_a_namespace_sees_terminals_and_who_may_edit_it_makes_them(default: Rendered) -> None:
    view = default.one("ClusterRole", "terminal-operator-view")
    edit = default.one("ClusterRole", "terminal-operator-edit")
    assert aggregated_to(view) == {"view", "edit", "admin"}
    assert aggregated_to(edit) == {"edit", "admin"}
    assert permissions(view) == {
        "terminal-operator.dev/terminals": READ,
        "terminal-operator.dev/terminals/status": READ,
        "terminal-operator.dev/terminalclasses": READ,
    }
    assert permissions(edit) == {
        "terminal-operator.dev/terminals": {"create", "update", "patch", "delete", "deletecollection"},
    }


def test_a_platform_team_can_bring_its_own_roles(helm: Helm) -> None:
    rendered = helm.set(rbac__create="false", rbac__aggregateToDefaultRoles="false")
    kinds = {item["kind"] for item in rendered.objects}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
