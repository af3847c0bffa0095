"""A misspelt or wrong value is an error before anything is installed."""

import json
from collections.abc import Iterator

import pytest
import yaml
from terminal_operator.settings import Settings

from tests.chart.derived_schema import Schema, derive
from tests.chart.described_values import Value
from tests.chart.golden import golden
from tests.chart.helm_cli import CHART, Helm, HelmError

SCHEMA = CHART / "values.schema.json"
Path = tuple[str, ...]


@pytest.fixture(scope="module")
def schema() -> Schema:
    written: Schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return written


def children(node: Schema) -> Iterator[tuple[str, Schema]]:
    yield from node.get("properties", {}).items()
    if "items" in node:
        yield "items", node["items"]


def open_objects(node: Schema, path: Path = ()) -> Iterator[str]:
    """Yield where an object may hold anything."""
    if node.get("type") == "object" and node.get("additionalProperties", True) is True:
        yield ".".join(path)
    for key, child in children(node):
        yield from open_objects(child, (*path, key))


def leaves(node: Schema, described: set[Path], path: Path = ()) -> Iterator[Path]:
    """Yield every path that is described, and every one that has nothing below it."""
    if "properties" not in node or path in described:
        yield path
        return
    for key, child in node["properties"].items():
        yield from leaves(child, described, (*path, key))


def test_it_follows_the_values_the_settings_model_and_the_class(values: list[Value], schema: Schema) -> None:
    crd = yaml.safe_load((CHART / "crds" / "terminalclasses.yaml").read_text(encoding="utf-8"))
    derived = derive(schema, values, Settings.model_json_schema(), crd)
    assert json.loads(golden(SCHEMA, json.dumps(derived, indent=2) + "\n")) == derived


def test_it_is_closed_but_for_maps_that_others_own(schema: Schema) -> None:
    assert list(open_objects(schema)) == [
        "global",
        "settings.network.ingressFrom.items",
        "settings.network.dns.items",
        "gateway.listeners.items.tls",
        "gateway.listeners.items.allowedRoutes",
        "affinity.nodeAffinity",
        "affinity.podAffinity",
        "affinity.podAntiAffinity",
        "topologySpreadConstraints.items.labelSelector",
    ]


def test_it_knows_no_value_that_values_yaml_does_not(values: list[Value], schema: Schema) -> None:
    described = {value.path for value in values}
    unknown = [".".join(path) for path in leaves(schema, described) if path not in described]
    # What a TerminalClass may have besides is documented in its CRD.
    assert [name for name in unknown if not name.startswith("defaultClass.spec.")] == []


@pytest.mark.parametrize(
    ("misspelt", "named"),
    [
        ("replicaCount=2", "replicaCount"),
        ("image.tags=1", "tags"),
        ("terminalImage.repo=x", "repo"),
        ("settings.routing.baseURL=https://example.com", "baseURL"),
        ("settings.network.blockedCidrs={192.0.2.0/24}", "blockedCidrs"),
        ("settings.worker=3", "worker"),
        ("defaultClass.spec.storage.sise=1Gi", "sise"),
        ("defaultClass.spec.maxResource.cpu=1", "maxResource"),
        ("gateway.class=example", "class"),
        ("gateway.listeners[0].prot=80", "prot"),
        ("resources.limit.memory=1Gi", "limit"),
        ("tolerations[0].keys=x", "keys"),
        ("metrics.serviceMonitor.enable=true", "enable"),
    ],
)
def test_a_misspelt_value_is_an_error_that_names_it(misspelt: str, named: str, helm: Helm) -> None:
    with pytest.raises(HelmError, match=f"'{named}'"):
        helm.template("--set", misspelt)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("settings.routing.type=Nginx", "/settings/routing/type"),
        ("settings.workers=0", "/settings/workers"),
        ("settings.workers=many", "/settings/workers"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("image.digest=sha256:short", "/image/digest"),
        ("replicas=-1", "/replicas"),
        ("defaultClass.spec.network.egress=Everything", "/defaultClass/spec/network/egress"),
    ],
)
def test_a_wrong_value_is_an_error_that_says_where(wrong: str, place: str, helm: Helm) -> None:
    with pytest.raises(HelmError, match=f"at '{place}'"):
        helm.template("--set", wrong)


def test_a_parent_chart_may_share_its_globals(helm: Helm) -> None:
    assert helm.set(global__storageClass="fast").objects
