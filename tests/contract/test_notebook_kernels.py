"""The kernels of notebooks: which one there is, how it is interrupted, restarted and ended, and how it dies."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.notebook import Gate, Notebook, cell, opened, text_of, write
from tests.contract.running import (
    KEY,
    Client,
    Server,
    alive,
    changed,
    connected,
    pids,
    running,
    running_like,
    until,
)


def connection_of(pid: int) -> Path:
    """The file that told a kernel where to listen."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return Path(next(word for word in words if word.endswith(b".json")).decode())


def loaded(pid: int, name: str) -> bool:
    """Whether a process has loaded a library."""
    return name in Path(f"/proc/{pid}/maps").read_text()


FOR_EVERYBODY = [Path(place) / "share" / "jupyter" / "kernels" for place in ("/usr/local", "/usr")]


async def _turn_over(client: Client) -> None:
    """Give a server turns to do what nobody can see."""
    for _ in range(50):
        await client.json("GET", "/health")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("death", ["os._exit(7)", "os.kill(os.getpid(), 9)"])
async def test_a_kernel_that_dies_is_an_answer_and_can_be_restarted(
    one: Notebook, tmp_path: Path, death: str
) -> None:
    gate = Gate(tmp_path)
    source = f"import os; print('last words', flush=True); {gate.wait}; {death}"
    answering = asyncio.create_task(one.run(0, source))
    await gate.reached()
    # What a process has said is lost with it if it ends before that is sent.
    await _turn_over(one.client)
    gate.open()
    answer = await answering
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
    await _turn_over(one.client)  # It waits by then.
    await one.client.json("POST", f"{one.url}/restart")
    assert (await first)["status"] == "error"
    assert await second
    assert (await one.run(0, "1"))["execution_count"] == 1


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


@pytest.mark.parametrize("description", ["", "[]", '{"argv": []}', "[" * 100_000])
async def test_a_kernel_whose_description_makes_no_sense_is_none(
    client: Client, tmp_path: Path, description: str
) -> None:
    folder = client.server.home / ".local" / "share" / "jupyter" / "kernels" / "spoilt"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(description)
    path = write(tmp_path / "a.ipynb", cell("1"), kernelspec={"name": "spoilt", "language": "python"})
    async with opened(client, path) as notebook:
        assert notebook.answer["kernel"] == "python3"


async def test_a_python_notebook_whose_kernel_is_not_here_runs_on_the_python_there_is(
    client: Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"), kernelspec={"name": "conda-of-ann", "language": "python"})
    async with opened(client, path) as notebook:
        assert notebook.answer["kernel"] == "python3"


@contextlib.contextmanager
def with_python(folder: Path, does: str) -> Iterator[Server]:
    """A server whose users have no other Python than a script of one line."""
    if any(list(place.glob("*/kernel.json")) for place in FOR_EVERYBODY):
        pytest.skip("this machine has kernels for everybody")
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "bin" / "python3").chmod(0o755)
    program = changed("from terminal_server.notebooks import specs; specs._PROBE_SECONDS = 60")
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    with running(folder / "server", program=program, PATH=path) as server:
        yield server


@pytest.mark.parametrize("does", ["exit 1", "echo nonsense", "yes '[' | head -n 20000"])
async def test_without_jupyter_it_is_said_what_to_install(tmp_path: Path, does: str) -> None:
    path = write(tmp_path / "a.ipynb", cell("1"))
    with with_python(tmp_path, does) as server:
        async with connected(server) as client:
            answer = await client.json("POST", "/notebooks", 503, json={"path": str(path)})
            assert (await client.json("GET", "/api/config"))["features"]["notebooks"] is False
    assert "pip install ipykernel" in answer["detail"]


async def test_a_python_that_hangs_holds_up_nobody_who_asks_what_there_is(tmp_path: Path) -> None:
    with with_python(tmp_path, "exec sleep 1015") as server:
        async with connected(server) as client:
            assert (await client.json("GET", "/api/config"))["features"]["notebooks"] is False
            assert running_like("sleep 1015"), "it was answered before the Python was given up"


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
