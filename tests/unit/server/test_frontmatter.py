"""The heads of skills: read as YAML reads them, as far as they are read at all."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_server.skills import frontmatter


def description(head: str) -> str | None:
    """The description in a head."""
    return frontmatter.split(f"---\n{head}\n---\nbody")[0].get("description")


@pytest.mark.parametrize(
    "head",
    [
        "description: Fill in forms.",
        "description:   spaces around   ",
        "description: a # comment",
        "description: no#comment",
        "description: 'it''s quoted' # comment",
        'description: "a \\"quoted\\" word\\nand a line \\u00e9"',
        "description: a plain value\n  on two lines # comment\n\nname: x",
        "description:\n  below",
        "description: >\n  folded\n  into one\n\n  paragraph",
        "description: >-\n  folded\n  line",
        "description: |\n  literal\n    indented\n  lines",
        "description: |2-\n  literal",
        "name: x\ndescription: 'with: a colon'\nmetadata:\n  description: nested\nlist:\n- description: item",
        "# description: a comment\ndescription: real",
        "'description': quoted name",
        "description: 'quoted\n  over lines'",
        'description: ""',
        "allowed-tools: [a, b]\ndescription: x",
    ],
)
def test_values_are_what_yaml_makes_of_them(head: str) -> None:
    expected = yaml.safe_load(head)["description"]
    found = description(head)
    if head.startswith("'description'"):
        assert found is None
    else:
        assert found == expected.rstrip("\n")


_WORDS = st.text(alphabet="abc é漢'\"#:-|>{}[]\\", max_size=30).map(lambda text: " ".join(text.split()))


@settings(max_examples=500, deadline=None)
@given(
    value=_WORDS, width=st.integers(min_value=5, max_value=80), style=st.sampled_from([None, "'", "|", ">"])
)
def test_what_yaml_writes_is_read_back(value: str, width: int, style: str | None) -> None:
    text = yaml.safe_dump(value, width=width, allow_unicode=True, default_style=style)
    assert description(f"description: {text}".removesuffix("\n").removesuffix("\n...")) == value


@settings(max_examples=500, deadline=None)
@given(text=st.text(alphabet="-\n: \tab'\"\\u#|>\r\ufeff0d8", max_size=80))
def test_nothing_in_a_file_goes_wrong(text: str) -> None:
    values, body = frontmatter.split(text)
    "".join([*values, *values.values(), body]).encode()


@pytest.mark.parametrize(
    "text", ["a" + " " * 60_000 + "b", " " * 60_000, "'" * 60_000, '"' + "\\" * 60_000, "#" * 60_000]
)
def test_a_long_line_takes_no_long_time(text: str) -> None:
    frontmatter.split(f"---\ndescription: {text}\n{text}\n---\n")


@pytest.mark.parametrize(
    "text", ["body", "---\nno: end\nbody", "\ufeffbody", "", "---", " ---\na: b\n---\n", "----\na: b\n----\n"]
)
def test_without_a_head_all_is_body(text: str) -> None:
    assert frontmatter.split(text) == ({}, text.removeprefix("\ufeff").strip())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_marks_are_understood(end: str) -> None:
    text = end.join(["\ufeff--- ", "description: x", "---", "", "body", "more", ""])
    values, body = frontmatter.split(text)
    assert values == {"description": "x"}
    assert body.split() == ["body", "more"]
