"""values.yaml, the operator's settings and the documentation say the same."""

from pathlib import Path

import pytest
import yaml
from terminal_operator.settings import Settings

from tests.chart.described_values import Value
from tests.chart.golden import golden
from tests.chart.helm_cli import CHART, REPOSITORY, Helm, HelmError, Rendered

INSTALL = REPOSITORY / "docs" / "install.md"
TABLE_HEAD = "| Value | Default | Description |\n| --- | --- | --- |\n"


def test_every_value_is_described(values: list[Value]) -> None:
    assert [value.name for value in values if not value.description] == []


def test_the_settings_are_those_of_the_operator_key_by_key() -> None:
    chart = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["settings"]
    assert chart == Settings().model_dump(by_alias=True, mode="json")


def test_the_operator_reads_the_settings_file_as_it_is_rendered(helm: Helm, default: Rendered) -> None:
    def settings(rendered: Rendered) -> Settings:
        return Settings.model_validate(yaml.safe_load(rendered.one("ConfigMap")["data"]["settings.yaml"]))

    rich = Path(__file__).parent / "golden" / "rich-values.yaml"
    assert settings(default) == Settings()
    assert settings(helm.template("--values", str(rich))).routing.gateway.name == "terminals"
    # Numbers come out of Helm as numbers, large ones too.
    assert settings(helm.set(settings__resyncSeconds="10000000")).resync_seconds == 10_000_000


def test_the_settings_are_described_in_the_words_of_the_model(values: list[Value]) -> None:
    schema = Settings.model_json_schema()

    def described(path: tuple[str, ...]) -> str:
        node = schema
        for key in path:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
            node = node["properties"][key]
        return str(node["description"])

    settings = [value for value in values if value.path[0] == "settings"]
    assert [value.description for value in settings] == [described(value.path[1:]) for value in settings]


def test_the_documentation_lists_every_value(values: list[Value]) -> None:
    before, rest = INSTALL.read_text(encoding="utf-8").split("<!-- values -->\n")
    _, after = rest.split("<!-- end of values -->\n")
    table = TABLE_HEAD + "".join(value.row + "\n" for value in values)
    document = f"{before}<!-- values -->\n{table}<!-- end of values -->\n{after}"
    assert golden(INSTALL, document) == document


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gateway.create=true"], "gateway.className is required"),
        (["gateway.create=true", "settings.routing.type=None"], "settings.routing.type=Gateway"),
        (["serviceAccount.create=false"], "serviceAccount.name is required"),
    ],
)
def test_values_that_do_not_go_together_are_an_error(arguments: list[str], message: str, helm: Helm) -> None:
    with pytest.raises(HelmError, match=message):
        helm.template(*(f"--set={argument}" for argument in arguments))
