"""Makes an OpenAPI document plain, for clients that turn it into the tools of a model.

Such clients copy a parameter's `type`, and some follow no reference and know no alternatives: a parameter that
is a number or nothing has to be a number for them. So everything referred to is put where it is used, "or null"
is left out, and so is what only costs a model's attention: titles, and the shape of validation errors.
"""

from collections.abc import Mapping
from typing import Any

_SCHEMAS = "#/components/schemas/"
_ERRORS = {
    "401": {"description": "The key is missing or not valid."},
    "4XX": {"description": "The call cannot be carried out; `detail` says why."},
}


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an OpenAPI document without references, alternatives with null, and titles.

    Raises:
        ValueError: a schema contains itself.
    """
    schemas = document.get("components", {}).get("schemas", {})
    flat = {key: _plain(value, schemas, ()) for key, value in document.items() if key != "components"}
    for operations in flat.get("paths", {}).values():
        for operation in operations.values():
            operation["responses"] = {**_answers(operation.get("responses", {})), **_ERRORS}
    return flat


def _answers(responses: Mapping[str, Any]) -> dict[str, Any]:
    return {status: answer for status, answer in responses.items() if not status.startswith("4")}


def _plain(value: Any, schemas: Mapping[str, Any], inside: tuple[str, ...], *, null: bool = False) -> Any:
    """Return a copy; with `null`, what may be null says so."""
    if isinstance(value, list):
        return [_plain(one, schemas, inside, null=null) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _resolved(value, schemas, inside, null=null)
    made: dict[str, Any] = {}
    for key, one in value.items():
        if key in {"properties", "paths"}:
            # What is in here are names, whatever they are called.
            made[key] = {name: _plain(each, schemas, inside, null=null) for name, each in one.items()}
        elif key != "title" or not isinstance(one, str) or "version" in value:
            # Only who calls has no need to know of null: who gets an answer finds it there.
            made[key] = _plain(one, schemas, inside, null=null or key == "responses")
    return _one_type(made, null=null)


def _resolved(
    value: Mapping[str, Any], schemas: Mapping[str, Any], inside: tuple[str, ...], *, null: bool
) -> Any:
    name = value["$ref"].removeprefix(_SCHEMAS)
    if name in inside:
        raise ValueError(f"the schema {name} contains itself")
    rest = {key: one for key, one in value.items() if key != "$ref"}
    return _plain({**schemas[name], **rest}, schemas, (*inside, name), null=null)


def _one_type(schema: dict[str, Any], *, null: bool) -> dict[str, Any]:
    """Return a schema of "this or null" as one of "this", or with `null` as one type with two names."""
    if "anyOf" not in schema:
        return schema
    others = [one for one in schema["anyOf"] if one != {"type": "null"}]
    rest = {key: one for key, one in schema.items() if key != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    if len(others) > 1:
        return {**rest, "anyOf": others}
    only = others[0]
    if null and "type" in only and len(schema["anyOf"]) > 1:
        only = {**only, "type": [only["type"], "null"]}
    return {**only, **rest}
