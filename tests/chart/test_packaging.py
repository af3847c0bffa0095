"""Dockerfile and skaffold.yaml name the same things as the chart.

skaffold itself is not run: it needs a Docker engine. What is checked is that its file is of the shape that it
documents, and that what it names is there.
"""

import re
from typing import Any

import pytest
import yaml

from tests.chart.helm_cli import REPOSITORY, Helm, Rendered

VALUE_OF = {
    "ghcr.io/terminal-operator/terminal-operator": "image",
    "ghcr.io/terminal-operator/terminal": "terminalImage",
}


@pytest.fixture(scope="module")
def skaffold() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / "skaffold.yaml").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (REPOSITORY / "operator" / "Dockerfile").read_text(encoding="utf-8")


def test_skaffold_builds_the_images_of_the_chart(skaffold: dict[str, Any]) -> None:
    assert {artifact["image"] for artifact in skaffold["build"]["artifacts"]} == VALUE_OF.keys()
    for artifact in skaffold["build"]["artifacts"]:
        assert (REPOSITORY / artifact["context"] / artifact["docker"]["dockerfile"]).is_file()


def test_skaffold_installs_the_chart_with_the_images_it_built(skaffold: dict[str, Any], helm: Helm) -> None:
    (release,) = skaffold["deploy"]["helm"]["releases"]
    assert (REPOSITORY / release["chartPath"] / "Chart.yaml").is_file()
    expected = {}
    for image, value in VALUE_OF.items():
        artifact = re.sub(r"[-/.]", "_", image)
        expected[f"{value}.registry"] = f"{{{{.IMAGE_DOMAIN_{artifact}}}}}"
        expected[f"{value}.repository"] = f"{{{{.IMAGE_REPO_NO_DOMAIN_{artifact}}}}}"
        expected[f"{value}.tag"] = f"{{{{.IMAGE_TAG_{artifact}}}}}"
    assert release["setValueTemplates"] == expected
    assert helm.template(*(f"--set={name}=x" for name in release["setValueTemplates"])).objects


def test_the_image_runs_as_the_user_that_the_chart_runs_it_as(dockerfile: str, default: Rendered) -> None:
    context = default.one("Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile


def test_the_image_installs_only_what_is_locked_and_from_any_base(dockerfile: str) -> None:
    assert dockerfile.count("ARG BASE_IMAGE=python:3.12-slim") == 1
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases == ["${BASE_IMAGE}", "dependencies", "${BASE_IMAGE}"]
    assert "--require-hashes" in dockerfile
    assert not re.search(r"amd64|arm64|x86_64|aarch64", dockerfile)
