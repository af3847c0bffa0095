"""What the documents show is true: their links lead somewhere, their examples are what the operator takes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from terminal_operator.api.group import API_VERSION
from terminal_operator.api.models import ApiModel, TerminalClassSpec, TerminalSpec

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [*sorted(REPOSITORY.glob("*.md")), *sorted(REPOSITORY.glob("docs/*.md"))]
EXAMPLES = sorted(REPOSITORY.glob("examples/*.yaml"))


def _objects(text: str) -> list[dict[str, Any]]:
    documents = yaml.safe_load_all(text)
    return [each for each in documents if isinstance(each, dict) and each.get("apiVersion") == API_VERSION]


def _assert_understood(manifest: dict[str, Any]) -> None:
    models: dict[str, type[ApiModel]] = {"Terminal": TerminalSpec, "TerminalClass": TerminalClassSpec}
    models[manifest["kind"]].model_validate(manifest["spec"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_object_shown_is_one_the_operator_understands(document: Path) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
        for manifest in _objects(block):
            _assert_understood(manifest)


def test_every_example_is_understood_and_named_in_a_document() -> None:
    assert EXAMPLES
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for example in EXAMPLES:
        manifests = _objects(example.read_text(encoding="utf-8"))
        assert manifests, example
        for manifest in manifests:
            _assert_understood(manifest)
        assert f"examples/{example.name}" in text, f"no document tells of {example.name}"


def test_the_whole_terminal_in_the_documents_is_the_example() -> None:
    text = (REPOSITORY / "docs/terminals.md").read_text(encoding="utf-8")
    (shown,) = [
        each for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) for each in _objects(block)
    ]
    assert [shown] == _objects((REPOSITORY / "examples/terminal.yaml").read_text(encoding="utf-8"))


def test_every_verb_a_document_names_is_one_of_make() -> None:
    verbs = set(
        re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z0-9-]+)", document.read_text(encoding="utf-8")))
        unknown = named - verbs
        assert not unknown, f"{document.name} names {unknown}"
