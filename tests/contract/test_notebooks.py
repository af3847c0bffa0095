"""Notebooks on real kernels: what a cell gives, what is in the file afterwards, and what can go wrong."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import (
    KEY,
    Client,
    Server,
    alive,
    connected,
    pids,
    running,
    running_like,
    until,
)

IMAGE = "iVBORw0KGgo="


def cell(source: str | list[str], name: str | None = None, kind: str = "code") -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if name is not None:
        made["id"] = name
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def write(path: Path, *cells: dict[str, Any], **metadata: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text())["cells"]
    assert isinstance(cells, list)
    return cells


def text_of(answer: dict[str, Any], name: str = "stdout") -> str:
    return "".join(output["text"] for output in answer["outputs"] if output.get("name") == name)


def connection_of(pid: int) -> Path:
    """The file that told a kernel where to listen."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return Path(next(word for word in words if word.endswith(b".json")).decode())


def loaded(pid: int, name: str) -> bool:
    """Whether a process has loaded a library."""
    return name in Path(f"/proc/{pid}/maps").read_text()


class Gate:
    """What a cell waits at until it is opened: a pipe that it reads to its end."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "gate"
        self._writing = -1
        os.mkfifo(self._path)
        self.wait = f"open({str(self._path)!r}).read()"
        """The code that waits."""

    async def reached(self) -> None:
        """Wait until the cell waits."""
        await until(self._is_read, "the cell waits")

    def open(self) -> None:
        """Let the cell go on."""
        os.close(self._writing)

    def _is_read(self) -> bool:
        with contextlib.suppress(OSError):
            self._writing = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        return self._writing >= 0


FOR_EVERYBODY = [Path(place) / "share" / "jupyter" / "kernels" for place in ("/usr/local", "/usr")]


class Notebook:
    """One that is open."""

    def __init__(self, client: Client, answer: dict[str, Any]) -> None:
        self.client = client
        self.answer = answer
        self.url = f"/notebooks/{answer['id']}"

    async def run(self, index: int, source: str | None = None, status: int = 200) -> Any:
        """Run a cell."""
        body = {"cell_index": index} | ({"source": source} if source is not None else {})
        return await self.client.json("POST", f"{self.url}/execute", status, json=body)

    async def status(self) -> str:
        """Whether it is ready, busy or dead."""
        return str((await self.client.json("GET", self.url))["status"])

    async def until(self, status: str) -> None:
        """Wait until it has a status."""

        async def has_it() -> bool:
            return await self.status() == status

        await until(has_it, f"the notebook is {status}")

    async def kernel(self) -> int:
        """The process id of its kernel."""
        return int(text_of(await self.run(0, "import os; print(os.getpid())")))


@contextlib.asynccontextmanager
async def opened(client: Client, path: Path | str, **options: Any) -> AsyncIterator[Notebook]:
    notebook = Notebook(client, await client.json("POST", "/notebooks", json={"path": str(path)}, **options))
    try:
        yield notebook
    finally:
        async with client.request("DELETE", notebook.url, **options) as response:
            assert response.status in {200, 404}


@pytest.fixture
async def one(client: Client, tmp_path: Path) -> AsyncIterator[Notebook]:
    async with opened(client, write(tmp_path / "one.ipynb", cell(""))) as notebook:
        yield notebook


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


@pytest.mark.parametrize("death", ["os._exit(7)", "os.kill(os.getpid(), 9)"])
async def test_a_kernel_that_dies_is_an_answer_and_can_be_restarted(one: Notebook, death: str) -> None:
    # What a process has said is lost with it if it ends before that is sent.
    answer = await one.run(0, f"import os, time; print('last words', flush=True); time.sleep(0.5); {death}")
    assert answer["status"] == "error"
    assert text_of(answer) == "last words\n"
    assert answer["outputs"][-1]["ename"] == "KernelEnded"
    assert ("exit code 7" if "7" in death else "SIGKILL") in answer["outputs"][-1]["evalue"]
    assert await one.status() == "dead"
    assert "restarted" in (await one.run(0, "1", 409))["detail"]
    assert (await one.client.json("POST", f"{one.url}/restart"))["status"] == "ready"
    assert (await one.run(0, "1"))["execution_count"] == 1


async def test_a_kernel_killed_between_cells_is_found_dead(one: Notebook) -> None:
    os.kill(await one.kernel(), signal.SIGKILL)
    await one.until("dead")


async def test_an_endless_cell_can_be_interrupted_and_what_was_made_is_kept(
    one: Notebook, tmp_path: Path
) -> None:
    await one.run(0, "x = 5")
    source = f"print('on', flush=True); open({str(tmp_path / 'begun')!r}, 'w').close()\nwhile True: pass"
    answering = asyncio.create_task(one.run(0, source))
    await until((tmp_path / "begun").exists, "the loop begins")
    assert await one.client.json("POST", f"{one.url}/interrupt") == {"status": "interrupted"}
    answer = await answering
    assert answer["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert (await one.run(0, "x"))["outputs"][0]["data"] == {"text/plain": "5"}


async def test_a_cell_that_asks_for_input_is_told_that_there_is_none(one: Notebook) -> None:
    answer = await one.run(0, "input('name? ')")
    assert answer["outputs"][-1]["ename"] == "StdinNotImplementedError"


async def test_cells_asked_for_at_once_run_one_after_the_other(one: Notebook) -> None:
    await one.run(0, "import time; seen = []")
    runs = []
    for number in range(4):
        runs.append(asyncio.create_task(one.run(0, f"seen.append({number}); time.sleep(0.05); seen")))
        # So that they come in this order.
        await asyncio.sleep(0.02)
    answers = await asyncio.gather(*runs)
    assert [answer["outputs"][-1]["data"]["text/plain"] for answer in answers] == [
        "[0]",
        "[0, 1]",
        "[0, 1, 2]",
        "[0, 1, 2, 3]",
    ]


async def test_closing_ends_the_cell_that_runs_and_all_the_kernel_started(
    one: Notebook, tmp_path: Path
) -> None:
    file = tmp_path / "pids"
    source = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        f"with open({str(file)!r}, 'w') as f: print(os.getpid(), child.pid, file=f)\n"
        "child.wait()"
    )
    answering = asyncio.create_task(one.run(0, source))
    await until(lambda: len(pids(file)) == 2, "the cell runs")
    assert await one.client.json("DELETE", one.url) == {"status": "stopped"}
    assert (await answering)["outputs"][-1]["ename"] == "KernelEnded"
    assert not any(map(alive, pids(file)))
    await one.client.json("GET", one.url, 404)


async def test_a_restart_ends_the_cell_that_runs_and_those_that_wait_do_not_run(one: Notebook) -> None:
    first = asyncio.create_task(one.run(0, "import time; time.sleep(1000)"))
    await one.until("busy")
    second = asyncio.create_task(one.run(0, "1", 409))
    # Nobody can see that it waits.
    await asyncio.sleep(0.2)
    await one.client.json("POST", f"{one.url}/restart")
    assert (await first)["status"] == "error"
    assert await second
    assert (await one.run(0, "1"))["execution_count"] == 1


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


async def test_a_kernel_knows_no_key_and_listens_where_only_its_user_may_be(one: Notebook) -> None:
    answer = await one.run(0, "import os; print(dict(os.environ))")
    assert KEY not in text_of(answer)
    pid = await one.kernel()
    connection = connection_of(pid)
    assert json.loads(connection.read_text())["transport"] == "ipc"
    assert connection.stat().st_mode & 0o077 == 0
    assert connection.parent.stat().st_mode & 0o077 == 0
    await one.client.json("DELETE", one.url)
    await until(lambda: not connection.parent.exists(), "the folder is removed")


async def test_a_notebook_runs_on_the_kernel_it_names(client: Client, tmp_path: Path) -> None:
    folder = client.server.home / ".local" / "share" / "jupyter" / "kernels" / "mine"
    folder.mkdir(parents=True)
    arguments = ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(
        json.dumps({"argv": arguments, "env": {"MINE": "yes"}, "interrupt_mode": "message"})
    )
    path = write(
        tmp_path / "a.ipynb", cell("import os; print(os.environ['MINE'])"), kernelspec={"name": "mine"}
    )
    async with opened(client, path) as notebook:
        assert notebook.answer["kernel"] == "mine"
        assert text_of(await notebook.run(0)) == "yes\n"
        gate = Gate(tmp_path)
        answering = asyncio.create_task(notebook.run(0, gate.wait))
        await gate.reached()
        await client.json("POST", f"{notebook.url}/interrupt")
        assert (await answering)["outputs"][-1]["ename"] == "KeyboardInterrupt"
        gate.open()


async def test_a_python_notebook_whose_kernel_is_not_here_runs_on_the_python_there_is(
    client: Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"), kernelspec={"name": "conda-of-ann", "language": "python"})
    async with opened(client, path) as notebook:
        assert notebook.answer["kernel"] == "python3"


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


async def test_more_notebooks_than_allowed_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with running(tmp_path / "server", TERMINAL_SERVER_MAX_NOTEBOOKS="1") as server:
        async with connected(server) as client, opened(client, path):
            answer = await client.json("POST", "/notebooks", 429, json={"path": str(path)})
            assert "1 notebooks" in answer["detail"]


@contextlib.contextmanager
def with_python(folder: Path, does: str) -> Iterator[Server]:
    """A server whose users have no other Python than a script of one line."""
    if any(list(place.glob("*/kernel.json")) for place in FOR_EVERYBODY):
        pytest.skip("this machine has kernels for everybody")
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "bin" / "python3").chmod(0o755)
    with running(folder / "server", PATH=f"{folder / 'bin'}:/usr/bin:/bin") as server:
        yield server


async def test_without_jupyter_it_is_said_what_to_install(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with with_python(tmp_path, "exit 1") as server:
        async with connected(server) as client:
            answer = await client.json("POST", "/notebooks", 503, json={"path": str(path)})
            assert (await client.json("GET", "/api/config"))["features"]["notebooks"] is False
    assert "pip install ipykernel" in answer["detail"]


async def test_a_python_that_hangs_holds_up_nobody_who_asks_what_there_is(tmp_path: Path) -> None:
    with with_python(tmp_path, "exec sleep 1015") as server:
        async with connected(server) as client:
            assert (await client.json("GET", "/api/config"))["features"]["notebooks"] is False
            assert running_like("sleep 1015"), "it was answered before the Python was given up"


async def test_notebooks_can_be_turned_off(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_ENABLE_NOTEBOOKS="false") as server:
        async with connected(server) as client:
            await client.json("POST", "/notebooks", 404, json={"path": "a.ipynb"})


async def test_the_end_of_the_server_is_the_end_of_its_kernels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with running(tmp_path / "server") as server:
        async with connected(server) as client:
            notebook = Notebook(client, await client.json("POST", "/notebooks", json={"path": str(path)}))
            pid = await notebook.kernel()
            answering = asyncio.create_task(notebook.run(0, "import time; time.sleep(1000)"))
            await notebook.until("busy")
            server.process.send_signal(signal.SIGTERM)
            assert (await answering)["status"] == "error"
        await until(lambda: server.process.poll() is not None, "the server ends")
    assert not alive(pid)


async def test_what_kernels_need_is_loaded_when_the_first_notebook_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with running(tmp_path / "server") as server:
        assert not loaded(server.process.pid, "zmq")
        async with connected(server) as client, opened(client, path):
            assert loaded(server.process.pid, "zmq")
