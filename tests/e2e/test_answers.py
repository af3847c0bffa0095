"""From `kubectl apply` to a shell that answers through the ingress, to its own key only."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.e2e.kit.cluster import HTTP_PORT
from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.operator import Operator
from tests.e2e.kit.programs import EXAMPLES
from tests.e2e.kit.shell import Answer, Shell
from tests.e2e.kit.terminal import children_in
from tests.e2e.kit.waiting import until

MEGABYTE = 1_000_000


async def test_helm_install_gives_a_ready_operator(operator: Operator) -> None:
    async def ready() -> bool:
        conditions = (await operator.pod())["status"]["conditions"]
        return ("Ready", "True") in {(each["type"], each["status"]) for each in conditions}

    await until(ready, "the operator is ready", story=operator.story)
    assert await operator.cluster.api.get("terminalclasses", None, "default") is not None


async def test_the_example_becomes_ready_with_its_url_and_all_its_children(namespace: Namespace) -> None:
    await namespace.cluster.kubectl(
        "apply", "--namespace", namespace.name, "--filename", str(EXAMPLES / "terminal.yaml")
    )
    alice = namespace.terminal("alice")
    shell = await alice.until_ready()
    # Of the volume the operator may hear after the pod that uses it.
    await alice.until_condition("StorageReady", "True")
    status = await alice.status()
    assert status["url"] == f"http://localhost:{HTTP_PORT}/t/{namespace.name}/alice"
    assert status["phase"] == "Running"
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions == {
        "Accepted": "True",
        "StorageReady": "True",
        "NetworkIsolated": "True",
        "Routed": "True",
        "UpdatePending": "False",
        "Ready": "True",
    }
    assert await children_in(namespace.cluster, namespace.name) == {
        "secrets": ["terminal-alice-key"],
        "persistentvolumeclaims": ["terminal-alice-home"],
        "networkpolicies": ["terminal-alice"],
        "services": ["terminal-alice"],
        "pods": ["terminal-alice"],
        "httproutes": ["terminal-alice"],
    }
    table = await namespace.cluster.kubectl("get", "term", "--namespace", namespace.name)
    assert status["url"] in table
    assert await shell.output("echo $((6 * 7)) in $PWD as $(id -un)") == "42 in /home/user as user\n"


async def test_health_is_open_and_execute_wants_the_key(alice: Shell, bob: Shell) -> None:
    command = {"json": {"command": "echo hello"}}
    assert await alice.with_key(None).ask("/health") == Answer(200, '{"status":"ok"}')
    assert (await alice.execute("echo hello; exit 3")) == (3, "hello\n", "")
    assert (await alice.with_key(None).ask("/execute", "POST", **command)).status == 401
    assert (await alice.with_key(bob.key).ask("/execute", "POST", **command)).status == 401
    assert (await alice.with_key("").ask("/execute", "POST", **command)).status == 401
    assert (await alice.with_key(f"{alice.key}x").ask("/execute", "POST", **command)).status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/execute"),
        ("POST", "/execute?stream=true"),
        ("POST", "/files/upload?dir=/tmp"),
        ("POST", "/files/upload/link?dir=/tmp"),
        ("GET", "/files/download/link?path=/etc/hostname"),
    ],
)
async def test_every_call_wants_this_terminals_own_key(
    alice: Shell, bob: Shell, method: str, path: str
) -> None:
    for key in (None, bob.key):
        answer = await alice.with_key(key).ask(path, method, json={"command": "id"})
        assert answer.status == 401, answer


async def test_a_stream_arrives_line_by_line_while_the_command_still_runs(alice: Shell) -> None:
    # The command prints the next line only when a second request, made after the last line came, lets it.
    lines = alice.stream(
        "d=$(mktemp -d); echo $d; for i in 1 2 3; do until [ -e $d/$i ]; do sleep 0.02; done; echo line $i; done"
    )
    folder = (await anext(lines))["data"].strip()
    for number in (1, 2, 3):
        await alice.output(f"touch {folder}/{number}")
        assert await anext(lines) == {"type": "stdout", "data": f"line {number}\n"}
    assert await anext(lines) == {"type": "exit", "data": 0}


async def test_100_megabytes_go_up_and_come_down_unchanged_and_outlive_the_pod(
    namespace: Namespace, tmp_path: Path
) -> None:
    alice, shell = await namespace.start("alice")
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(100 * MEGABYTE))
    sent, received = hashlib.sha256(big.read_bytes()), hashlib.sha256()
    await shell.upload(big)
    async for piece in shell.download("big.bin"):
        received.update(piece)
    assert received.hexdigest() == sent.hexdigest()
    await alice.delete_pod()
    assert (await shell.output("sha256sum < big.bin")).split()[0] == sent.hexdigest()


async def test_the_url_and_the_key_stay_when_the_pod_is_deleted(namespace: Namespace) -> None:
    alice, shell = await namespace.start("alice")
    await alice.delete_pod()
    again = await alice.shell()
    assert (again.url, again.key) == (shell.url, shell.key)
    assert await again.output("echo still me") == "still me\n"


async def test_git_and_virtual_environments_need_no_more_than_home_and_tmp_to_write_to(alice: Shell) -> None:
    work = (
        "git init --quiet . && git -c user.name=a -c user.email=a@example.com commit --quiet --allow-empty -m first"
        " && python3 -m venv env && env/bin/python -c 'import sys; print(sys.prefix)'"
    )
    for place in ("$HOME", "/tmp"):  # noqa: S108 - the pod's own
        folder = (await alice.output(f"mktemp --directory --tmpdir={place}")).strip()
        assert await alice.output(f"cd {folder} && {work}; rm -rf {folder}") == f"{folder}/env\n"
    for place in ("/", "/etc", "/usr/bin", "/opt/terminal-server"):
        result = await alice.execute(f"touch {place}/made-by-a-user")
        assert result.exit_code != 0
        assert "Read-only file system" in result.stderr
