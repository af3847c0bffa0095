"""The models are the CRDs' shape, field for field, and refuse what they do not know."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from terminal_operator.api.models import (
    TerminalClassSpec,
    TerminalSpec,
    parse_class,
    parse_terminal,
)
from terminal_operator.kube.kinds import TERMINAL, TERMINAL_CLASS, Kind

from tests.unit.operator.making import RICH_CLASS, RICH_TERMINAL, class_body, terminal_body

CRDS = Path(__file__).parents[3] / "crds"
# Of objects of Kubernetes' own, which the operator hands on as they are.
HANDED_ON = {"tolerations", "nodeSelector"}

Schema = dict[str, Any]


def crd(kind: Kind) -> Schema:
    (found,) = (
        document
        for path in CRDS.glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document["spec"]["names"]["plural"] == kind.plural
    )
    return dict(found)


def spec_schema(kind: Kind) -> Schema:
    (version,) = crd(kind)["spec"]["versions"]
    return dict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])


def schema_fields(schema: Schema, path: str = "spec") -> set[str]:
    """Return the path of every field that a schema describes."""
    if "items" in schema:
        return schema_fields(schema["items"], f"{path}[]")
    found: set[str] = set()
    for name, child in (schema.get("properties") or {}).items():
        found.add(f"{path}.{name}")
        if name not in HANDED_ON:
            found |= schema_fields(child, f"{path}.{name}")
    return found


def model_fields(annotation: Any, path: str = "spec") -> set[str]:
    """Return the path of every field that a model has, as it stands in a manifest."""
    if get_origin(annotation) is UnionType:
        parts = [part for part in get_args(annotation) if part is not NoneType]
        return set().union(*(model_fields(part, path) for part in parts))
    if get_origin(annotation) is tuple:
        return model_fields(get_args(annotation)[0], f"{path}[]")
    found: set[str] = set()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            child = f"{path}.{field.alias or name}"
            found |= {child} | model_fields(field.annotation, child)
    return found


KINDS = pytest.mark.parametrize(
    ("kind", "model"),
    [(TERMINAL, TerminalSpec), (TERMINAL_CLASS, TerminalClassSpec)],
    ids=["Terminal", "class"],
)


@KINDS
def test_every_field_of_the_crd_is_one_of_the_model_and_the_other_way_round(
    kind: Kind, model: type[BaseModel]
) -> None:
    in_crd, in_model = schema_fields(spec_schema(kind)), model_fields(model)
    assert len(in_crd) > 20
    assert in_crd == in_model


@KINDS
def test_what_must_be_set_is_the_same(kind: Kind, model: type[BaseModel]) -> None:
    required = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    assert required == set(spec_schema(kind)["required"])


@KINDS
def test_the_crd_is_of_the_kind_that_the_operator_watches(kind: Kind, model: type[BaseModel]) -> None:
    assert model.model_config.get("extra") == "forbid"
    spec = crd(kind)["spec"]
    assert f"{spec['group']}/{spec['versions'][0]['name']}" == kind.api_version
    assert (spec["names"]["kind"], spec["scope"] == "Namespaced") == (kind.name, kind.namespaced)


def test_what_a_terminal_may_override_by_default_is_what_the_crd_says() -> None:
    described = spec_schema(TERMINAL_CLASS)["properties"]["overridable"]
    assert list(TerminalClassSpec(image="x").overridable) == described["default"]


def test_every_choice_of_the_crd_is_one_of_the_models() -> None:
    described = spec_schema(TERMINAL_CLASS)["properties"]["overridable"]["items"]["enum"]
    assert TerminalClassSpec.model_validate({"image": "x", "overridable": described}).overridable
    for policy in spec_schema(TERMINAL_CLASS)["properties"]["imagePullPolicy"]["enum"]:
        assert TerminalClassSpec.model_validate({"image": "x", "imagePullPolicy": policy})
    for egress in spec_schema(TERMINAL)["properties"]["network"]["properties"]["egress"]["enum"]:
        assert TerminalSpec.model_validate({"user": "a", "network": {"egress": egress}})


def test_what_everything_is_set_in_is_read() -> None:
    terminal, platform = parse_terminal(terminal_body(**RICH_TERMINAL)), parse_class(class_body(**RICH_CLASS))
    assert terminal.spec.model_dump(by_alias=True, exclude_unset=True, mode="json")["storage"] == {
        "size": "20Gi"
    }
    assert terminal.spec.resources is not None
    assert terminal.spec.resources.requests.given() == {"cpu": "1"}
    assert platform.spec.max_resources.given() == {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "10Gi"}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"idle": {}}, "idle"),
        ({"resources": {"limits": {"gpu": 1}}}, "resources.limits.gpu"),
        ({"resources": {"limits": {"cpu": "many"}}}, "resources.limits.cpu"),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}, "env.0.valueFrom"),
        ({"network": {"egress": "Some"}}, "network.egress"),
        ({"user": None}, "user"),
    ],
)
def test_what_is_unknown_or_wrong_is_named(spec: Schema, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_terminal(terminal_body() | {"spec": {"user": "a", **spec}})
    assert any(".".join(map(str, each["loc"])).startswith(field) for each in caught.value.errors())


def test_a_terminal_on_its_way_out_is_known_as_such() -> None:
    body = terminal_body()
    assert not parse_terminal(body).deleting
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert parse_terminal(body).deleting
