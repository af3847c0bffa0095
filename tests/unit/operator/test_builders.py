"""The objects of a Terminal, whole: golden manifests, and the facts of each that must never be lost.

`REFRESH_GOLDEN=1 scripts/python -m pytest tests/unit/operator/test_builders.py` writes the golden files anew.
"""

import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from terminal_operator.api.models import Terminal, TerminalClass
from terminal_operator.build.key import build_key_secret
from terminal_operator.build.spec import effective_spec
from terminal_operator.build.terminal import TerminalObjects, build_terminal
from terminal_operator.settings import Settings

from tests.chart.golden import golden
from tests.unit.operator.making import RICH_CLASS, RICH_TERMINAL, Manifest, terminal, terminal_class

GOLDEN = Path(__file__).parent / "golden"
HOST = {"mode": "Host", "baseUrl": "https://terminals.example.com:8443"}
ROUTINGS: dict[str, Manifest] = {
    "gateway-path": {},
    "gateway-host": {**HOST, "gateway": {"name": "public", "namespace": "edge", "sectionName": "https"}},
    "ingress-path": {"type": "Ingress", "baseUrl": "http://terminals.example.com"},
    "ingress-host": {
        "type": "Ingress",
        **HOST,
        "ingress": {"className": "traefik", "annotations": {"a.example.com/b": "c"}, "tlsSecretName": "tls"},
    },
    "none-path": {"type": "None"},
    "none-host": {"type": "None", **HOST},
}
TERMINALS: dict[str, tuple[Manifest, Manifest]] = {"default": ({}, {}), "rich": (RICH_TERMINAL, RICH_CLASS)}


def parsed(name: str) -> tuple[Terminal, TerminalClass]:
    spec, platform = TERMINALS[name]
    return terminal(**spec), terminal_class(**platform)


def build(name: str = "default", routing: Manifest | None = None, **network: Any) -> TerminalObjects:
    settings = Settings.model_validate({"routing": routing or {}, "network": network})
    return build_terminal(*parsed(name), settings)


def as_yaml(objects: TerminalObjects) -> str:
    found: dict[str, Any] = {field.name: getattr(objects, field.name) for field in fields(objects)}
    # Written without anchors, as a person would.
    return yaml.safe_dump(copy.deepcopy(yaml.safe_load(yaml.safe_dump(found))), sort_keys=False, width=110)


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("name", TERMINALS)
def test_the_objects_of_a_terminal_are_these(name: str, routing: str) -> None:
    built = as_yaml(build(name, ROUTINGS[routing]))
    assert built == golden(GOLDEN / f"{name}-{routing}.yaml", built)


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("name", TERMINALS)
def test_the_same_input_gives_the_same_objects_and_is_not_changed(name: str, routing: str) -> None:
    given_terminal, given_class = parsed(name)
    settings = Settings.model_validate({"routing": ROUTINGS[routing]})
    before = (given_terminal.model_dump(), given_class.model_dump(), settings.model_dump())
    first = build_terminal(given_terminal, given_class, settings)
    kept = copy.deepcopy(first)
    assert build_terminal(given_terminal, given_class, settings) == first == kept
    assert (given_terminal.model_dump(), given_class.model_dump(), settings.model_dump()) == before


def children(objects: TerminalObjects) -> list[Manifest]:
    found = [objects.home_claim, objects.network_policy, objects.service, objects.pod, objects.route]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("name", TERMINALS)
def test_every_child_is_in_the_terminals_namespace_labelled_and_owned(name: str) -> None:
    for child in [*children(build(name)), build_key_secret(parsed(name)[0], "key")]:
        metadata = child["metadata"]
        assert metadata["namespace"] == "team"
        assert metadata["labels"]["terminal-operator.dev/terminal"] == "alice"
        (owner,) = metadata["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == ("uid-terminal", True)


@pytest.mark.parametrize("name", TERMINALS)
class TestPod:
    """Nothing it does not need."""

    def test_it_can_do_nothing_to_its_node(self, name: str) -> None:
        """The restricted Pod Security Standard, and more."""
        spec = build(name).pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["runAsGroup"] == 1000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers", "serviceAccountName"} & set(spec)
        assert [port for port in container["ports"] if "hostPort" in port] == []

    def test_it_knows_nothing_of_the_cluster(self, name: str) -> None:
        """Neither a token nor other Services' addresses."""
        spec = build(name).pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds == {"persistentVolumeClaim", "emptyDir", "secret"}

    def test_of_the_key_it_has_the_hash_alone(self, name: str) -> None:
        """Mounted as a file, never in the environment."""
        pod = build(name).pod
        (volume,) = (each for each in pod["spec"]["volumes"] if "secret" in each)
        assert volume["secret"]["items"] == [{"key": "api-key.sha256", "path": "api-key.sha256"}]
        assert "'api-key'" not in str(pod)
        (container,) = pod["spec"]["containers"]
        references = [each["valueFrom"] for each in container["env"] if "valueFrom" in each]
        assert "terminal-alice-key" not in str(references)

    def test_its_tmp_is_bounded(self, name: str) -> None:
        """A full /tmp is one pod's trouble, not its node's."""
        (tmp,) = (each for each in build(name).pod["spec"]["volumes"] if "emptyDir" in each)
        assert tmp["emptyDir"]["sizeLimit"]

    def test_the_operators_variables_cannot_be_set_by_anybody_else(self, name: str) -> None:
        """By the CRD; here each name stands once."""
        names = [each["name"] for each in build(name).pod["spec"]["containers"][0]["env"]]
        assert len(names) == len(set(names))


def test_a_pod_is_known_by_what_it_was_made_of() -> None:
    def template(objects: TerminalObjects) -> str:
        return str(objects.pod["metadata"]["annotations"])

    assert template(build()) == template(build())
    assert template(build()) != template(build("rich"))
    assert template(build()) != template(build(routing={"baseUrl": "http://elsewhere"}))
    # The policy is another object: its change needs no new pod.
    assert template(build()) == template(build(blockedCIDRs=["192.0.2.0/24"]))


def egress(objects: TerminalObjects) -> list[Manifest]:
    rules: list[Manifest] = objects.network_policy["spec"]["egress"]
    return rules


def policy_of(**network: Any) -> list[Manifest]:
    objects = build_terminal(
        terminal(network=network), terminal_class(overridable=["network"]), Settings.model_validate({})
    )
    return egress(objects)


def test_a_terminal_reaches_dns_and_every_public_address_and_nothing_private() -> None:
    dns, internet = egress(build(blockedCIDRs=["203.0.113.0/24", "2001:db8:1::/48"]))
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    v4, v6 = (peer["ipBlock"] for peer in internet["to"])
    assert (v4["cidr"], v6["cidr"]) == ("0.0.0.0/0", "::/0")
    assert {"10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8", "203.0.113.0/24"} <= set(v4["except"])
    assert {"fc00::/7", "fe80::/10", "2001:db8:1::/48"} <= set(v6["except"])


def test_without_egress_there_is_nothing_not_even_dns() -> None:
    assert policy_of(egress="None") == []
    assert "Egress" in build().network_policy["spec"]["policyTypes"]


def test_custom_egress_is_dns_and_what_is_listed() -> None:
    allow = [{"cidr": "192.0.2.7/24", "ports": [443]}, {"cidr": "2001:db8::/32"}]
    dns, web, everything = policy_of(egress="Custom", allow=allow)
    assert dns["ports"][0]["port"] == 53
    assert web == {
        "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "ports": [{"port": 443, "protocol": "TCP"}],
    }
    assert everything == {"to": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}
    assert len(policy_of(egress="Custom")) == 1


def test_where_no_resolver_is_named_nobody_is_asked_rather_than_everybody() -> None:
    (internet,) = egress(build(dns=[]))
    assert "ports" not in internet
    assert [rule for rule in egress(build("rich", dns=[])) if not rule["to"]] == []


def test_where_nobody_may_come_in_there_is_no_rule_rather_than_an_open_one() -> None:
    assert build(ingressFrom=[]).network_policy["spec"]["ingress"] == []


@pytest.mark.parametrize(
    ("routing", "url"),
    [
        ({}, "http://localhost:8080/t/team/alice"),
        ({"baseUrl": "https://example.com/"}, "https://example.com/t/team/alice"),
        ({"mode": "Host"}, "http://alice-team.localhost:8080"),
        ({"mode": "Host", "baseUrl": "https://example.com"}, "https://alice-team.example.com"),
    ],
)
def test_a_url_is_computed_from_namespace_and_name(routing: Manifest, url: str) -> None:
    objects = build(routing=routing)
    assert objects.url == url
    environment = {each["name"]: each.get("value") for each in objects.pod["spec"]["containers"][0]["env"]}
    assert environment["TERMINAL_SERVER_PUBLIC_URL"] == url


def test_nothing_that_a_user_writes_gets_into_a_route() -> None:
    settings = Settings.model_validate({})
    plain = build_terminal(terminal(), terminal_class(), settings).route
    odd = build_terminal(
        terminal(user="`Host(*)`", env=[{"name": "A", "value": "{}"}]), terminal_class(), settings
    )
    assert odd.route == plain


def test_a_request_of_the_class_is_lowered_to_a_limit_of_the_terminal_and_a_wish_is_not() -> None:
    platform = terminal_class(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "4Gi"}})
    lowered = effective_spec(terminal(resources={"limits": {"memory": "1Gi"}}), platform)
    assert (lowered.requests, lowered.limits) == ({"memory": "1Gi"}, {"memory": "1Gi"})
    wished = {"requests": {"memory": "3Gi"}, "limits": {"memory": "1Gi"}}
    assert effective_spec(terminal(resources=wished), platform).requests == {"memory": "3Gi"}


def test_a_terminals_variable_wins_over_its_classs_and_keeps_its_place() -> None:
    platform = terminal_class(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    spec = effective_spec(terminal(env=[{"name": "A", "value": "3"}]), platform)
    assert [(each.name, each.value) for each in spec.env] == [("A", "3"), ("B", "2")]
