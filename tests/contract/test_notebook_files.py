"""What is in the file of a notebook after a cell has run, whoever changed it meanwhile."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.contract.notebook import Gate, cell, cells_of, opened, write
from tests.contract.running import Client, until


async def test_what_a_cell_gives_is_in_the_file_and_the_rest_is_as_it_was(
    client: Client, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "a.ipynb",
        cell(["print('one')\n", "print('two')"]) | {"mine": {"z": 1, "a": 2}},
        cell("# Ä title", kind="markdown"),
        kernelspec={"name": "python3", "display_name": "Python 3"},
        zebra="kept",
    )
    path.write_text(path.read_text().replace('"nbformat"', '"unknown": 1.50,\n "nbformat"'))
    path.chmod(0o640)
    before = path.read_text()
    async with opened(client, path) as notebook:
        await notebook.run(0)
    expected = before.replace('"execution_count": null', '"execution_count": 1').replace(
        '"outputs": []',
        '"outputs": [\n    {\n     "output_type": "stream",\n     "name": "stdout",\n'
        '     "text": [\n      "one\\n",\n      "two\\n"\n     ]\n    }\n   ]',
    )
    assert path.read_text() == expected.replace("\\u00c4", "Ä").replace("1.50", "1.5")
    assert path.stat().st_mode & 0o777 == 0o640


async def test_text_sent_along_is_run_and_is_the_text_of_the_cell_from_then_on(
    client: Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ipynb", cell(["old\n", "text"], "a"))
    async with opened(client, path) as notebook:
        for source in ("x = 1\nprint(x)", "print(x + 1)"):
            assert (await notebook.run(0, source))["saved"] is True
            assert "".join(cells_of(path)[0]["source"]) == source


async def test_a_cell_that_was_moved_while_it_ran_gets_its_outputs_all_the_same(
    client: Client, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    path = write(tmp_path / "a.ipynb", cell(f"print('on'); {gate.wait}", "a"))
    async with opened(client, path) as notebook:
        answering = asyncio.create_task(notebook.run(0))
        await gate.reached()
        write(path, cell("'new'", "b"), *cells_of(path))
        gate.open()
        assert (await answering)["saved"] is True
    first, second = cells_of(path)
    assert (first["source"], first["outputs"]) == ("'new'", [])
    assert second["outputs"][0]["text"] == ["on\n"]


@pytest.mark.parametrize("name", ["a", None])
async def test_a_change_made_while_a_cell_ran_is_not_lost(
    client: Client, tmp_path: Path, name: str | None
) -> None:
    gate = Gate(tmp_path)
    path = write(tmp_path / "a.ipynb", cell(f"{gate.wait}; 1", name))
    async with opened(client, path) as notebook:
        answering = asyncio.create_task(notebook.run(0))
        await gate.reached()
        write(path, cell("changed by hand", name))
        gate.open()
        answer = await answering
    assert (answer["status"], answer["saved"]) == ("ok", False)
    assert answer["outputs"][0]["data"] == {"text/plain": "1"}
    assert cells_of(path)[0]["source"] == "changed by hand"


async def test_text_meant_for_another_cell_than_the_one_there_now_replaces_nothing(
    client: Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ipynb", cell("1", "a"), cell("2", "b"))
    async with opened(client, path) as notebook:
        write(path, cell("new at the top", "c"), *cells_of(path))
        after = path.read_bytes()
        answer = await notebook.run(0, "1 + 1")
        assert (answer["status"], answer["saved"]) == ("ok", False)
        assert path.read_bytes() == after


async def test_a_cell_goes_on_when_its_client_has_gone_and_the_file_has_what_it_gives(
    client: Client, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    path = write(tmp_path / "a.ipynb", cell(f"{gate.wait}; print('done')"))
    async with opened(client, path) as notebook:
        answering = asyncio.create_task(notebook.run(0))
        await gate.reached()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        gate.open()
        await until(lambda: cells_of(path)[0]["outputs"], "the cell's outputs are in the file")
    assert cells_of(path)[0]["outputs"][0]["text"] == ["done\n"]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (None, 404, "path"),
        ("no json", 400, "path"),
        ("[]", 400, "path"),
        ('{"nbformat": 3, "worksheets": []}', 400, "path"),
        ('{"nbformat": 4, "cells": [1]}', 400, "path"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 5}]}', 400, "path"),
        ("[" * 100_000, 400, "path"),
        (
            '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"name": "ir", "language": "R"}}}',
            400,
            "ir",
        ),
    ],
)
async def test_what_is_no_notebook_is_said_to_be_none(
    client: Client, tmp_path: Path, content: str | None, status: int, words: str
) -> None:
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    answer = await client.json("POST", "/notebooks", status, json={"path": str(path)})
    assert words in answer["detail"]


async def test_a_pipe_or_a_folder_is_no_notebook(client: Client, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    async with asyncio.timeout(10):
        await client.json("POST", "/notebooks", 400, json={"path": str(tmp_path / "pipe.ipynb")})
    await client.json("POST", "/notebooks", 409, json={"path": str(tmp_path)})


async def test_only_cells_of_code_that_are_there_can_be_run(client: Client, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"), cell("text", kind="markdown"))
    async with opened(client, path) as notebook:
        for index in (-1, 2, 10**30):
            assert "cell_index" in json.dumps(await notebook.run(index, status=400))
        assert "markdown" in (await notebook.run(1, status=400))["detail"]
        path.unlink()
        await notebook.run(0, status=404)
