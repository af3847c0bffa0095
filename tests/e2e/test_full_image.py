"""The full image in a pod as every Terminal has it: unprivileged, on a read-only root, its home a volume."""

import json
import shlex
import textwrap

import pytest

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.terminalclass import new_class, shared_class
from tests.e2e.kit.tools import TOOLS
from tests.e2e.kit.wheels import make_wheels

# The image may have to be built first.
pytestmark = pytest.mark.timeout(1800)

# A machine that does much else is slow.
_SECONDS = 120
_BROKEN = "raise RuntimeError('broken')"


@pytest.fixture
async def workbench(shared: Namespace, full_image: str) -> Shell:
    """The shell of a Terminal with the full image, which all tests of its tools use."""
    name = await shared_class(shared.cluster, f"full-{shared.name}", image=full_image)
    return await shared.look_at("workbench", className=name)


@pytest.mark.parametrize("name", TOOLS)
async def test_every_tool_does_its_work(workbench: Shell, name: str) -> None:
    use = TOOLS[name]
    script = textwrap.dedent("""
        folder=$(mktemp -d) && cd "$folder" && trap 'rm -rf "$folder"' EXIT
        set -e
        {commands}
    """).format(commands=use.commands)
    result = await workbench.execute(f"bash -c {shlex.quote(script)}", timeout=_SECONDS)
    assert (result.exit_code, result.stdout.rstrip("\n")) == (0, use.prints), result.stderr


async def test_what_pip_installs_stays_and_breaks_neither_the_server_nor_the_image(
    namespace: Namespace, full_image: str
) -> None:
    async with new_class(namespace.cluster, f"full-{namespace.name}", image=full_image) as name:
        alice, shell = await namespace.start("alice", className=name)
        wheels = ["tiny", "1", "answer = 42"]
        for package in ("numpy", "fastapi", "pydantic", "uvicorn", "terminal_server"):
            wheels += [package, "99", _BROKEN]
        await shell.output(make_wheels(*wheels))
        await shell.output("pip install --quiet --no-deps --no-index ./*.whl")

        await alice.delete_pod()
        shell = await alice.until_ready()
        assert await shell.output("python3 -c 'import tiny; print(tiny.answer)'") == "42\n"
        broken = await shell.execute("python3 -c 'import numpy'")
        assert "RuntimeError: broken" in broken.stderr, "the user's own packages come first"
        assert await shell.output("python3 -s -c 'import numpy; print(numpy.arange(4).sum())'") == "6\n"
        await shell.output("pip uninstall --quiet --yes numpy")
        assert await shell.output("python3 -c 'import numpy; print(numpy.arange(4).sum())'") == "6\n"


async def test_pip_works_in_an_environment_of_the_users_own(workbench: Shell) -> None:
    make = make_wheels("tinier", "1", "answer = 43")
    install = "venv/bin/pip install --quiet --no-index ./tinier-1-py3-none-any.whl"
    use = "venv/bin/python -c 'import tinier; print(tinier.answer)'"
    result = await workbench.execute(
        f"mkdir -p own && cd own && {make} && python3 -m venv venv && {install} && {use}", timeout=_SECONDS
    )
    assert result.stdout == "43\n", result


async def test_a_notebook_runs_on_the_images_python(workbench: Shell) -> None:
    source = "import matplotlib.pyplot as plot, numpy\n_ = plot.plot(numpy.arange(4))"
    cell = {"cell_type": "code", "id": "a", "source": source, "metadata": {}, "outputs": []}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{**cell, "execution_count": None}],
    }
    await workbench.output(f"echo {shlex.quote(json.dumps(notebook))} >a.ipynb")
    opened = await workbench.ask("/notebooks", "POST", json={"path": "a.ipynb"})
    assert opened.status == 200, opened
    path = f"/notebooks/{json.loads(opened.body)['id']}"
    ran = await workbench.ask(f"{path}/execute", "POST", json={"cell_index": 0})
    # On a slow machine Matplotlib also says that it is building its cache of fonts.
    outputs = json.loads(ran.body)["outputs"]
    (shown,) = (output for output in outputs if output["output_type"] == "display_data")
    assert shown["data"]["image/png"].startswith("iVBOR"), ran
    assert (await workbench.ask(path, "DELETE")).status == 200


async def test_the_image_itself_cannot_be_changed(workbench: Shell) -> None:
    for path in ("/usr/local/bin", "/opt/terminal-server", "/etc", "/usr/lib/python3"):
        touched = await workbench.execute(f"touch {path}/x")
        assert touched.exit_code != 0, path
        assert "Read-only file system" in touched.stderr, touched
