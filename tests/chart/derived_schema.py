"""The parts of values.schema.json that follow from something else.

Descriptions are those of values.yaml; `settings` is the settings model; `defaultClass.spec` is the spec
of the TerminalClass CRD. Everything else in the file is written by hand.
"""

import copy
from collections.abc import Callable
from typing import Any

from tests.chart.described_values import Value

Schema = dict[str, Any]

_KEPT_OF_MODEL = {
    "type", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "pattern", "description",
}  # fmt: skip
_KEPT_OF_CRD = {*_KEPT_OF_MODEL, "minItems", "maxItems", "maxProperties"}


def derive(written: Schema, values: list[Value], settings_model: Schema, class_crd: Schema) -> Schema:
    """Return the schema as it should be, from the one that is there."""
    schema = copy.deepcopy(written)
    schema["properties"]["settings"] = from_model(settings_model, settings_model.get("$defs", {}))
    schema["properties"]["defaultClass"]["properties"]["spec"] = class_spec(class_crd)
    for value in values:
        node = schema
        for key in value.path:
            node = node["properties"][key]
        node["description"] = value.description
    return schema


def from_model(node: Schema, definitions: Schema) -> Schema:
    """Resolve a pydantic model's JSON schema into a closed one without references, titles and defaults."""
    if "$ref" in node:
        return from_model(definitions[node["$ref"].rsplit("/", 1)[1]] | _description(node), definitions)
    return _closed(node, _KEPT_OF_MODEL, lambda child: from_model(child, definitions))


def class_spec(crd: Schema) -> Schema:
    """Return the closed schema of a TerminalClass's spec; what is required there, the chart fills in."""
    (version,) = crd["spec"]["versions"]
    spec = from_crd(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    del spec["required"]
    return spec


def from_crd(node: Schema) -> Schema:
    """Turn a CRD's structural schema into a closed JSON schema; what CEL says is left to the API server."""
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]} | _description(node)
    return _closed(node, _KEPT_OF_CRD, from_crd)


def _closed(node: Schema, kept: set[str], convert: Callable[[Schema], Schema]) -> Schema:
    result = {key: value for key, value in node.items() if key in kept}
    if "properties" in node:
        result["additionalProperties"] = False
        result["properties"] = {key: convert(child) for key, child in node["properties"].items()}
        if "required" in node:
            result["required"] = node["required"]
    elif isinstance(node.get("additionalProperties"), dict):
        result["additionalProperties"] = convert(node["additionalProperties"])
    if "items" in node:
        result["items"] = convert(node["items"])
    return result


def _description(node: Schema) -> Schema:
    return {key: value for key, value in node.items() if key == "description"}
