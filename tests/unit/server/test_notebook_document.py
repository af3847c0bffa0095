"""A notebook's file: read, changed in one cell, and otherwise left as it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.notebooks.document import Document, NotebookError, read


def cell(source: Any, name: str | None = None) -> dict[str, Any]:
    made = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return made if name is None else {**made, "id": name}


def made(*cells: dict[str, Any], **rest: Any) -> Document:
    return Document({"cells": list(cells), "nbformat": 4, **rest}, " ")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_as_it_was_put(text: str) -> None:
    kept: tuple[Any, ...] = ("", [])
    for kept_as in kept:
        document = made(cell(kept_as))
        document.put(0, text, [{"output_type": "stream", "name": "stdout", "text": text}], 1)
        assert document.source(0) == text
        (written,) = json.loads(document.text())["cells"]
        assert "".join(written["outputs"][0]["text"]) == text


def test_texts_are_lists_of_lines_in_the_file_and_images_are_not() -> None:
    document = made(cell("x"))
    data = {
        "text/plain": "a\nb",
        "image/svg+xml": "<a>\n</a>",
        "image/png": "QUJD\n",
        "application/json": {"a": 1},
    }
    document.put(0, "x", [{"output_type": "display_data", "data": data, "metadata": {}}], 1)
    assert json.loads(document.text())["cells"][0]["outputs"][0]["data"] == {
        "text/plain": ["a\n", "b"],
        "image/svg+xml": ["<a>\n", "</a>"],
        "image/png": "QUJD\n",
        "application/json": {"a": 1},
    }


def test_a_cell_is_found_by_its_name_wherever_it_is_and_without_one_by_its_place() -> None:
    named = made(cell("a", "1"), cell("b", "2")).print_of(1)
    assert made(cell("b", "2"), cell("a", "1")).find(named, 1) == 0
    assert made(cell("a", "1")).find(named, 1) is None
    assert made(cell("b", "2"), cell("c", "2")).find(named, 1) is None
    nameless = made(cell("a"), cell("b")).print_of(1)
    assert made(cell("a"), cell("changed")).find(nameless, 1) == 1
    assert made(cell("a")).find(nameless, 1) is None
    assert made(cell("a"), cell("b", "2")).find(nameless, 1) is None


@pytest.mark.parametrize("indent", [None, " ", "  ", "\t"])
def test_a_file_keeps_the_way_it_is_indented(tmp_path: Path, indent: str | None) -> None:
    path = tmp_path / "a.ipynb"
    text = json.dumps({"cells": [cell("é")], "nbformat": 4}, indent=indent, ensure_ascii=False) + "\n"
    path.write_text(text)
    assert read(path).text().decode() == text


@pytest.mark.parametrize(
    ("metadata", "kernel", "language"),
    [
        (None, "python3", ""),
        ({}, "python3", ""),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "ir", "r"),
        ({"kernelspec": 5, "language_info": {"name": "Python"}}, "python3", "python"),
        ({"kernelspec": {"name": ["x"]}}, "python3", ""),
    ],
)
def test_the_kernel_it_wants_is_the_one_it_names(metadata: Any, kernel: str, language: str) -> None:
    document = made(metadata=metadata)
    assert (document.kernel, document.language) == (kernel, language)


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_whatever_is_in_a_file_it_is_a_notebook_or_said_to_be_none(data: bytes) -> None:
    path = Path("/dev/shm") / "any.ipynb"  # noqa: S108 - one test, one name
    path.write_bytes(data)
    try:
        read(path)
    except NotebookError:
        pass
    finally:
        path.unlink()
