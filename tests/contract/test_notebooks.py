"""Notebooks on real kernels: what a cell gives."""

import asyncio
import json
from pathlib import Path

from tests.contract.notebook import Gate, Notebook, cell, opened, text_of, write
from tests.contract.running import Client, connected, running, until

IMAGE = "iVBORw0KGgo="


async def test_a_cell_finds_what_earlier_cells_made(client: Client, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("x = 41"), cell("text", kind="markdown"), cell("x + 1"))
    async with opened(client, path) as notebook:
        assert notebook.answer["kernel"] == "python3"
        assert notebook.answer["status"] == "ready"
        assert (await client.json("GET", "/api/config"))["features"]["notebooks"] is True
        assert await notebook.run(0) == {"status": "ok", "execution_count": 1, "outputs": [], "saved": True}
        answer = await notebook.run(2)
    assert answer["execution_count"] == 2
    assert answer["outputs"][0]["data"] == {"text/plain": "42"}


async def test_a_relative_path_is_looked_for_where_the_session_is(client: Client) -> None:
    write(client.server.home / "sub" / "here.ipynb", cell("import os; print(os.getcwd())"))
    async with opened(client, "sub/here.ipynb") as notebook:
        assert text_of(await notebook.run(0)) == f"{client.server.home / 'sub'}\n"


async def test_outputs_have_the_shape_notebooks_hold(one: Notebook) -> None:
    source = f"""
import sys
from IPython.display import display
print("out")
print("err", file=sys.stderr)
display({{"image/png": "{IMAGE}", "text/plain": "an image"}}, raw=True)
[1, 2]
"""
    kinds = {}
    for output in (await one.run(0, source))["outputs"]:
        kinds[output.get("name") or output["output_type"]] = output
    assert kinds == {
        "stdout": {"output_type": "stream", "name": "stdout", "text": "out\n"},
        "stderr": {"output_type": "stream", "name": "stderr", "text": "err\n"},
        "display_data": {
            "output_type": "display_data",
            "data": {"image/png": IMAGE, "text/plain": "an image"},
            "metadata": {},
        },
        "execute_result": {
            "output_type": "execute_result",
            "data": {"text/plain": "[1, 2]"},
            "metadata": {},
            "execution_count": 1,
        },
    }


async def test_an_exception_is_an_output_after_what_was_printed_before(one: Notebook) -> None:
    answer = await one.run(0, "print('before'); 1 / 0")
    assert answer["status"] == "error"
    before, error = answer["outputs"]
    assert before["text"] == "before\n"
    assert (error["output_type"], error["ename"]) == ("error", "ZeroDivisionError")
    assert error["evalue"] == "division by zero"
    assert "In[1]" in "".join(error["traceback"])


async def test_a_display_that_is_updated_or_cleared_is_shown_as_it_is_at_the_end(one: Notebook) -> None:
    updated = await one.run(0, "h = display('old', display_id=True); print('x'); h.update('new')")
    assert [output.get("data", {}).get("text/plain") for output in updated["outputs"]] == ["'new'", None]
    cleared = await one.run(
        0,
        "from IPython.display import clear_output\n"
        "for i in range(3):\n    clear_output(wait=True)\n    print(i, flush=True)",
    )
    assert text_of(cleared) == "2\n"


async def test_much_text_is_cut_in_the_middle_and_images_are_kept(one: Notebook) -> None:
    source = f"""
from IPython.display import display
print("begin")
display({{"image/png": "{IMAGE}"}}, raw=True)
for i in range(200):
    print(str(i) * 50_000)
print("end")
"""
    answer = await one.run(0, source)
    text = text_of(answer)
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    assert "characters left out" in text
    assert len(json.dumps(answer)) < 200_000
    assert [output["data"] for output in answer["outputs"] if "data" in output] == [{"image/png": IMAGE}]


async def test_a_value_an_error_or_a_number_of_outputs_beyond_measure_is_cut_too(one: Notebook) -> None:
    value = await one.run(0, "'x' * 5_000_000")
    assert len(json.dumps(value)) < 100_000
    error = await one.run(0, "raise ValueError('x' * 5_000_000)")
    assert error["outputs"][-1]["ename"] == "ValueError"
    assert len(json.dumps(error)) < 500_000
    many = await one.run(0, "for i in range(3000): display(i)\n'last'")
    assert len(many["outputs"]) < 1100
    assert "outputs are left out" in text_of(many, "stderr")
    assert many["outputs"][-2]["data"] == {"text/plain": "'last'"}


async def test_a_piece_too_large_to_arrive_is_missing_and_said_to_be(one: Notebook) -> None:
    answer = await one.run(0, "print('x' * 40_000_000)")
    assert answer["status"] == "ok"
    assert "output is missing" in text_of(answer, "stderr")
    assert (await one.run(0, "1"))["outputs"][0]["data"] == {"text/plain": "1"}


async def test_a_cell_goes_on_after_a_piece_too_large_and_is_answered_when_it_ends(one: Notebook) -> None:
    # It runs on for long enough that the connection breaks meanwhile.
    answer = await one.run(0, "import time; print('x' * 40_000_000, flush=True); time.sleep(1); x = 7")
    assert (answer["status"], answer["execution_count"]) == ("ok", 1)
    assert (await one.run(0, "x"))["outputs"][0]["data"] == {"text/plain": "7"}
    payload = "get_ipython().payload_manager.write_payload({'source': 'page', 'data': 'x' * 40_000_000})"
    answer = await one.run(0, payload)
    assert "output is missing" in text_of(answer, "stderr")
    assert (await one.run(0, "1"))["status"] == "ok"


async def test_a_cell_that_only_gives_too_large_pieces_can_be_interrupted(
    one: Notebook, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    source = f"while True: print('x' * 40_000_000, flush=True); print('.', file=open({str(given)!r}, 'a'))"
    answering = asyncio.create_task(one.run(0, source))
    await until(lambda: given.exists() and len(given.read_text().split()) > 10, "it gave many pieces")
    await one.client.json("POST", f"{one.url}/interrupt")
    assert (await answering)["status"] == "error"
    assert (await one.run(0, "1"))["outputs"][0]["data"] == {"text/plain": "1"}


async def test_what_is_no_strict_json_becomes_it(one: Notebook) -> None:
    answer = await one.run(0, "display({'application/json': {'a': float('nan')}}, raw=True)")
    assert answer["outputs"][0]["data"]["application/json"] in ({"a": None}, {"a": "nan"})


async def test_a_cell_that_asks_for_input_is_told_that_there_is_none(one: Notebook) -> None:
    answer = await one.run(0, "input('name? ')")
    assert answer["outputs"][-1]["ename"] == "StdinNotImplementedError"


async def test_cells_asked_for_at_once_run_one_after_the_other(one: Notebook) -> None:
    await one.run(0, "import time; seen = []")
    answers = await asyncio.gather(
        *(one.run(0, f"seen.append({number}); time.sleep(0.05); seen") for number in range(4))
    )
    answers.sort(key=lambda answer: int(answer["execution_count"]))
    assert [answer["execution_count"] for answer in answers] == [2, 3, 4, 5]
    shown = [json.loads(answer["outputs"][-1]["data"]["text/plain"]) for answer in answers]
    assert sorted(shown[-1]) == [0, 1, 2, 3]
    assert shown == [shown[-1][:length] for length in (1, 2, 3, 4)]


async def test_each_session_has_its_own(client: Client, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    mine = {"X-User-Id": "ann", "X-Session-Id": "chat"}
    async with opened(client, path, headers=mine) as notebook:
        assert [one["id"] for one in await client.json("GET", "/notebooks", headers=mine)] == [
            notebook.answer["id"]
        ]
        assert notebook.answer["id"] not in {one["id"] for one in await client.json("GET", "/notebooks")}
        for method, path_end in (("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart")):
            await client.json(method, notebook.url + path_end, 404, headers={"X-User-Id": "bob"})


async def test_a_running_cell_keeps_the_terminal_awake(one: Notebook, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    answering = asyncio.create_task(one.run(0, gate.wait))
    await gate.reached()
    assert await one.status() == "busy"
    assert "a cell of a notebook runs" in (await one.client.json("GET", "/activity"))["reasons"]
    gate.open()
    await answering


async def test_more_notebooks_than_allowed_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with running(tmp_path / "server", TERMINAL_SERVER_MAX_NOTEBOOKS="1") as server:
        async with connected(server) as client, opened(client, path):
            answer = await client.json("POST", "/notebooks", 429, json={"path": str(path)})
            assert "1 notebooks" in answer["detail"]


async def test_notebooks_can_be_turned_off(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_ENABLE_NOTEBOOKS="false") as server:
        async with connected(server) as client:
            await client.json("POST", "/notebooks", 404, json={"path": "a.ipynb"})
