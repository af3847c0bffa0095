"""A Terminal's children, deleted, edited, or in the way: what is its own comes back, what is not is left alone."""

import asyncio
import base64
from typing import Any

import pytest

from tests.e2e.kit.api import CHILD_KINDS, Manifest
from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.shell import Answer
from tests.e2e.kit.terminal import Terminal, terminal_manifest
from tests.e2e.kit.waiting import until

MADE_KINDS = tuple(plural for plural in CHILD_KINDS if plural != "ingresses")
OPEN_TO_ALL: Manifest = {"ingress": [{}], "egress": [{}]}
EDITS: list[tuple[str, Manifest]] = [
    ("services", {"spec": {"selector": {"app": "somebody-else"}}}),
    ("services", {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}, "spec": {"selector": None}}),
    ("networkpolicies", {"spec": OPEN_TO_ALL}),
    ("networkpolicies", {"spec": {"podSelector": {"matchLabels": {"app": "nobody"}}}}),
    (
        "networkpolicies",
        {"metadata": {"labels": {"terminal-operator.dev/terminal": None}}, "spec": OPEN_TO_ALL},
    ),
    ("httproutes", {"spec": {"hostnames": ["elsewhere.example.com"]}}),
    ("secrets", {"data": {"api-key.sha256": base64.b64encode(b"0" * 64).decode()}}),
    ("secrets", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody-else"}}}),
    ("persistentvolumeclaims", {"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}}),
    ("pods", {"metadata": {"labels": {"terminal-operator.dev/terminal": "x"}}}),
]


async def test_a_deleted_child_comes_back_and_the_terminal_answers_again(
    namespace: Namespace, subtests: pytest.Subtests
) -> None:
    alice, shell = await namespace.start("alice")
    await shell.output("echo mine > file")
    for plural in ("services", "networkpolicies", "httproutes", "pods"):
        with subtests.test(plural):
            uid = (await alice.child(plural))["metadata"]["uid"]
            await namespace.cluster.api.delete(plural, namespace.name, alice.child_name(plural))
            await alice.until_child(plural, other_than=uid)
            again = await alice.until_ready()
            assert again.key == shell.key
            assert await again.output_at_last("cat file") == "mine\n"


async def test_a_deleted_key_is_made_anew_and_the_old_one_opens_nothing(namespace: Namespace) -> None:
    alice, shell = await namespace.start("alice")
    uid = (await alice.child("secrets"))["metadata"]["uid"]
    await namespace.cluster.api.delete("secrets", namespace.name, alice.child_name("secrets"))
    await alice.until_child("secrets", other_than=uid)
    new = await alice.shell()
    assert new.key != shell.key
    # A running pod learns of it when the kubelet brings its volumes up to date, a new one at once.
    await alice.delete_pod()
    assert await new.output("echo mine") == "mine\n"
    assert (await shell.ask("/execute", "POST", json={"command": "true"})).status == 401


async def test_a_deleted_home_is_made_anew_when_the_pod_lets_it_go(namespace: Namespace) -> None:
    alice, shell = await namespace.start("alice")
    await shell.output("echo mine > file")
    uid = (await alice.child("persistentvolumeclaims"))["metadata"]["uid"]
    await namespace.cluster.api.delete(
        "persistentvolumeclaims", namespace.name, alice.child_name("persistentvolumeclaims")
    )
    await alice.until_condition("StorageReady", "False", "BeingDeleted")
    assert await shell.output("cat file") == "mine\n", "a pod that uses it keeps it"
    await namespace.cluster.api.delete("pods", namespace.name, alice.base)
    await alice.until_child("persistentvolumeclaims", other_than=uid)
    assert await (await alice.until_ready()).output("ls") == ""


@pytest.mark.parametrize(("plural", "edit"), EDITS, ids=lambda value: value if isinstance(value, str) else "")
async def test_an_edited_child_is_put_right(namespace: Namespace, plural: str, edit: Manifest) -> None:
    alice = await namespace.apply("alice")

    async def all_are_there() -> bool:
        return all([await alice.find_child(kind) for kind in MADE_KINDS])

    await until(all_are_there, "all children are there", story=alice.story)
    before = await alice.child(plural)
    edited = await namespace.cluster.api.merge(plural, namespace.name, alice.child_name(plural), edit)
    assert _essence(edited) != _essence(before)

    async def as_before() -> bool:
        return _essence(await alice.child(plural)) == _essence(before)

    await until(as_before, f"{plural} is as it was", within=60, story=alice.story)
    assert (await alice.child(plural))["metadata"]["uid"] == before["metadata"]["uid"]


def _essence(child: Manifest) -> Manifest:
    """What of a child the operator is responsible for."""
    spec = {
        key: value for key, value in child.get("spec", {}).items() if key not in {"volumeName", "nodeName"}
    }
    return {
        "labels": child["metadata"]["labels"],
        "owners": child["metadata"].get("ownerReferences"),
        "spec": spec,
        "data": child.get("data"),
    }


def _foreign(alice: Terminal, plural: str) -> Manifest:
    """An object of somebody else's with the name of a child."""
    body: dict[str, Any] = {
        "secrets": {"apiVersion": "v1", "kind": "Secret", "data": {"password": "c2VjcmV0"}},
        "persistentvolumeclaims": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "none-such",
                "resources": {"requests": {"storage": "1Mi"}},
            },
        },
        "services": {
            "apiVersion": "v1",
            "kind": "Service",
            "spec": {"ports": [{"port": 1}], "selector": {"a": "b"}},
        },
        "networkpolicies": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "spec": {"podSelector": {"matchLabels": {"a": "b"}}},
        },
        "pods": {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": {
                "nodeSelector": {"no": "such"},
                "containers": [{"name": "x", "image": "none.example.com/x"}],
            },
        },
        "httproutes": {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "spec": {"hostnames": ["x.example.com"]},
        },
    }[plural]
    return {**body, "metadata": {"name": alice.child_name(plural), "labels": {"owner": "somebody-else"}}}


async def test_a_foreign_object_is_left_alone_reported_and_waited_out(namespace: Namespace) -> None:
    """One Terminal for each kind, each with a stranger's object in the way."""
    cluster = namespace.cluster
    terminals = {plural: namespace.terminal(f"t{number}") for number, plural in enumerate(MADE_KINDS)}
    before = {
        plural: await cluster.api.create(plural, namespace.name, _foreign(terminal, plural))
        for plural, terminal in terminals.items()
    }
    await cluster.apply(
        namespace.name, *(terminal_manifest(terminal.name) for terminal in terminals.values())
    )

    async def reported(plural: str, terminal: Terminal) -> None:
        condition = await terminal.until_condition("Ready", "False", "ForeignObject")
        assert terminal.child_name(plural) in condition["message"]
        if plural in {"secrets", "persistentvolumeclaims", "networkpolicies", "pods"}:
            assert not _running(await terminal.find_child("pods")), "no pod without its key, home and policy"

    await asyncio.gather(*(reported(plural, terminal) for plural, terminal in terminals.items()))
    for plural, terminal in terminals.items():
        after = await terminal.child(plural)
        assert _untouched(after) == _untouched(before[plural])
        await cluster.api.delete(plural, namespace.name, terminal.child_name(plural))
    shells = await asyncio.gather(*(terminal.until_ready(within=180) for terminal in terminals.values()))
    assert [await shell.ask("/health") for shell in shells] == [Answer(200, '{"status":"ok"}')] * len(
        terminals
    )


def _running(pod: Manifest | None) -> bool:
    return pod is not None and pod["status"].get("phase") == "Running"


def _untouched(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    managers = {
        entry["manager"] for entry in metadata["managedFields"] if entry["manager"] == "terminal-operator"
    }
    return {
        "managers": managers,
        "spec": {key: value for key, value in manifest.get("spec", {}).items() if key != "nodeName"},
        "data": manifest.get("data"),
        **{key: metadata.get(key) for key in ("uid", "labels", "ownerReferences", "deletionTimestamp")},
    }
