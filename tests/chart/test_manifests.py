"""Every object of the chart, compared whole, and what helm itself says of it."""

from pathlib import Path

import yaml

from tests.chart.golden import golden
from tests.chart.helm_cli import CHART, RELEASE, Helm, Rendered

GOLDEN = Path(__file__).parent / "golden"


def same_objects(path: Path, rendered: Rendered) -> bool:
    return rendered.objects == Rendered(golden(path, rendered.text)).objects


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    helm.run("lint", "--strict", str(CHART))
    helm.run("lint", "--strict", str(CHART), "--values", str(GOLDEN / "rich-values.yaml"))


def test_no_values_give_the_golden_objects(default: Rendered) -> None:
    assert same_objects(GOLDEN / "default.yaml", default)


def test_rich_values_give_the_golden_objects(helm: Helm) -> None:
    rendered = helm.template("--values", str(GOLDEN / "rich-values.yaml"))
    assert same_objects(GOLDEN / "rich.yaml", rendered)


def test_every_object_has_the_labels_that_tell_whose_it_is(helm: Helm) -> None:
    rendered = helm.template("--values", str(GOLDEN / "rich-values.yaml"))
    for item in rendered.objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "terminal-operator"
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["team"] == "platform"


def test_common_labels_cannot_break_the_selector(helm: Helm) -> None:
    deployment = helm.template("--set", r"commonLabels.app\.kubernetes\.io/name=mine").one("Deployment")
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert selector["app.kubernetes.io/name"] == "terminal-operator"


def test_objects_are_named_after_the_release(helm: Helm) -> None:
    assert helm.template(release="shells").one("Deployment", "shells-terminal-operator")
    assert helm.template("--set=fullnameOverride=mine").one("Deployment", "mine")


def test_no_image_is_called_latest_and_no_secret_is_in_the_chart(default: Rendered) -> None:
    assert ":latest" not in default.text
    assert not default.all("Secret")


def test_changed_settings_restart_the_operator(helm: Helm, default: Rendered) -> None:
    def checksum(rendered: Rendered) -> str:
        annotations = rendered.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
        return str(annotations["checksum/settings"])

    assert checksum(helm.set(settings__workers="5")) != checksum(default)
    assert checksum(helm.set(replicas="2")) == checksum(default)


def test_the_default_class_is_marked_and_outlives_the_release(default: Rendered) -> None:
    annotations = default.one("TerminalClass", "default")["metadata"]["annotations"]
    assert annotations["terminalclass.terminal-operator.dev/is-default-class"] == "true"
    assert annotations["helm.sh/resource-policy"] == "keep"


def test_the_default_class_can_be_left_out(helm: Helm) -> None:
    assert not helm.set(defaultClass__create="false").all("TerminalClass")


def test_the_crds_of_the_repository_are_the_ones_in_the_chart(helm: Helm) -> None:
    top_level = CHART.parents[1] / "crds"
    assert top_level.resolve() == (CHART / "crds").resolve()
    shown = list(yaml.safe_load_all(helm.run("show", "crds", str(CHART))))
    written = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(top_level.glob("*.yaml"))]
    assert [crd for crd in shown if crd] == written
    assert {crd["spec"]["names"]["kind"] for crd in written} == {"Terminal", "TerminalClass"}


def test_crds_are_no_template_so_that_helm_never_deletes_them(default: Rendered) -> None:
    assert not default.all("CustomResourceDefinition")
