"""Images can be taken from elsewhere, by registry, tag and digest."""

import pytest

from tests.chart.helm_cli import Helm, Rendered

DIGEST = "sha256:" + "0123456789abcdef" * 4
NAMES = {"image": "terminal-operator/terminal-operator", "terminalImage": "terminal-operator/terminal"}
TAGS = {"image": "0.1.0", "terminalImage": "0.1.0-slim"}


def image_of(value: str, rendered: Rendered) -> str:
    """Return the image that a value of the chart ended up as."""
    if value == "image":
        (container,) = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"]
        return str(container["image"])
    return str(rendered.one("TerminalClass", "default")["spec"]["image"])


@pytest.mark.parametrize("value", NAMES)
def test_the_default_names_this_version(value: str, default: Rendered) -> None:
    assert image_of(value, default) == f"ghcr.io/{NAMES[value]}:{TAGS[value]}"


@pytest.mark.parametrize("value", NAMES)
def test_the_registry_can_be_another(value: str, helm: Helm) -> None:
    rendered = helm.template(f"--set={value}.registry=mirror.example.com:5000")
    assert image_of(value, rendered) == f"mirror.example.com:5000/{NAMES[value]}:{TAGS[value]}"


@pytest.mark.parametrize("value", NAMES)
def test_one_registry_can_replace_all(value: str, helm: Helm) -> None:
    rendered = helm.set(global__imageRegistry="mirror.example.com")
    assert image_of(value, rendered) == f"mirror.example.com/{NAMES[value]}:{TAGS[value]}"


@pytest.mark.parametrize("value", NAMES)
def test_the_tag_can_be_another(value: str, helm: Helm) -> None:
    rendered = helm.template(f"--set={value}.tag=1.2.3")
    assert image_of(value, rendered) == f"ghcr.io/{NAMES[value]}:1.2.3"


@pytest.mark.parametrize("value", NAMES)
def test_a_digest_wins_over_a_tag(value: str, helm: Helm) -> None:
    rendered = helm.template(f"--set={value}.tag=1.2.3", f"--set={value}.digest={DIGEST}")
    assert image_of(value, rendered) == f"ghcr.io/{NAMES[value]}@{DIGEST}"


def test_the_pull_policies_are_set_apart(helm: Helm) -> None:
    rendered = helm.set(image__pullPolicy="Always", terminalImage__pullPolicy="Never")
    (container,) = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["imagePullPolicy"] == "Always"
    assert rendered.one("TerminalClass", "default")["spec"]["imagePullPolicy"] == "Never"


def test_the_class_may_name_an_image_of_its_own(helm: Helm) -> None:
    rendered = helm.set(defaultClass__spec__image="registry.example.com/shell:1")
    assert image_of("terminalImage", rendered) == "registry.example.com/shell:1"
