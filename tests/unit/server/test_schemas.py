"""OpenAPI documents made plain."""

from typing import Any

import pytest
from terminal_server.schemas import plain


def _schema(schema: Any, **others: Any) -> Any:
    """What a schema becomes inside a document."""
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    document = plain({"paths": {"/x": {"post": operation}}, "components": {"schemas": others}})
    return document["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_what_is_referred_to_stands_where_it_is_used() -> None:
    part = {"type": "object", "properties": {"size": {"type": "integer"}}}
    whole = {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}
    assert _schema({"$ref": "#/components/schemas/Whole"}, Whole=whole, Part=part) == {
        "type": "array",
        "items": part,
    }


def test_what_a_place_says_of_a_reference_wins() -> None:
    made = _schema(
        {"$ref": "#/components/schemas/Part", "description": "here"},
        Part={"type": "string", "description": "x"},
    )
    assert made == {"type": "string", "description": "here"}


def test_or_null_is_left_out_and_with_it_a_default_of_null() -> None:
    maybe = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}],
        "default": None,
        "description": "n",
    }
    assert _schema(maybe) == {"type": "integer", "minimum": 1, "description": "n"}


def test_an_answer_that_may_hold_null_says_so_in_its_type() -> None:
    maybe = {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "n"}
    schema = {"type": "object", "properties": {"code": maybe}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}
    paths = {"/x": {"get": {"responses": {"200": answer}}}}
    document = plain({"paths": paths, "components": {"schemas": {"Answer": schema}}})
    made = document["paths"]["/x"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert made["properties"]["code"] == {"type": ["integer", "null"], "description": "n"}


def test_a_default_that_is_a_value_stays() -> None:
    assert _schema({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3})["default"] == 3


def test_titles_go_but_a_field_of_that_name_stays() -> None:
    schema = {"title": "X", "type": "object", "properties": {"title": {"title": "Title", "type": "string"}}}
    assert _schema(schema) == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_the_title_of_the_document_stays() -> None:
    assert plain({"info": {"title": "T", "version": "1"}})["info"]["title"] == "T"


def test_a_schema_that_contains_itself_is_refused() -> None:
    inner = {"properties": {"inner": {"$ref": "#/components/schemas/Loop"}}}
    with pytest.raises(ValueError, match="Loop contains itself"):
        _schema({"$ref": "#/components/schemas/Loop"}, Loop=inner)


def test_errors_are_told_once_and_alike() -> None:
    document = plain({"paths": {"/x": {"get": {"responses": {"200": {}, "422": {"content": {}}}}}}})
    assert list(document["paths"]["/x"]["get"]["responses"]) == ["200", "401", "4XX"]
