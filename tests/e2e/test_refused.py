"""A bad Terminal gets a clear message, from the API server or in a condition, and nothing is half made."""

from typing import Any

import pytest

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.programs import ProgramError
from tests.e2e.kit.terminal import children_in, terminal_manifest

REFUSED_AT_ONCE: list[tuple[str, dict[str, Any], str]] = [
    ("alice", {"colour": "blue"}, 'unknown field "spec.colour"'),
    ("alice", {"resources": {"limits": {"cpu": "lots"}}}, "spec.resources.limits.cpu: Invalid value"),
    ("alice", {"resources": {"limits": {"memory": "-1Gi"}}}, "must be a positive quantity"),
    ("alice", {"storage": {"size": "0"}}, "spec.storage.size: Invalid value"),
    ("alice", {"user": ""}, "spec.user"),
    ("alice", {"className": "No Class"}, "spec.className: Invalid value"),
    ("alice", {"env": [{"name": "HOME", "value": "/"}]}, "are set by the operator"),
    (
        "alice",
        {"network": {"egress": "Custom", "allow": [{"cidr": "everything"}]}},
        "must be a network such as",
    ),
    ("a" * 51, {}, "metadata.name must be at most 50 characters long"),
    ("a" * 253, {"user": "alice"}, "metadata.name must be at most 50 characters long"),
    ("a.b", {}, "metadata.name must be a DNS label"),
]
NOT_ACCEPTED: list[tuple[dict[str, Any], str, str]] = [
    ({"resources": {"limits": {"cpu": "64"}}}, "LimitExceeded", "spec.resources.limits.cpu 64 is over the 4"),
    ({"storage": {"size": "9Ti"}}, "LimitExceeded", "spec.storage.size 9Ti is over the 50Gi"),
    ({"image": "evil.example.com/x:1"}, "FieldNotOverridable", "spec.image may not be set"),
    ({"network": {"egress": "Internet"}}, "FieldNotOverridable", "spec.network may not be set"),
    ({"className": "none-such"}, "ClassNotFound", "TerminalClass none-such does not exist"),
]


@pytest.mark.parametrize(("name", "spec", "message"), REFUSED_AT_ONCE, ids=[m for _, _, m in REFUSED_AT_ONCE])
async def test_kubectl_apply_says_what_is_wrong(
    namespace: Namespace, name: str, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProgramError) as refusal:
        await namespace.cluster.apply(namespace.name, terminal_manifest(name, **spec))
    assert message in str(refusal.value)
    assert await namespace.cluster.api.list("terminals", namespace.name) == []


async def test_the_user_of_a_terminal_cannot_be_changed(namespace: Namespace) -> None:
    await namespace.apply("alice", resources={"limits": {"cpu": "64"}})
    with pytest.raises(ProgramError, match="user is immutable"):
        await namespace.apply("alice", user="mallory@example.com")


async def test_what_the_class_does_not_allow_is_a_condition_and_makes_nothing(
    namespace: Namespace, subtests: pytest.Subtests
) -> None:
    for number, (spec, reason, message) in enumerate(NOT_ACCEPTED):
        with subtests.test(message):
            terminal = await namespace.apply(f"t{number}", **spec)
            condition = await terminal.until_condition("Accepted", "False", reason)
            assert message in condition["message"]
            assert (await terminal.condition("Ready"))["status"] == "False"
    assert await children_in(namespace.cluster, namespace.name) == {}


async def test_a_terminal_that_is_put_right_starts(namespace: Namespace) -> None:
    alice = await namespace.apply("alice", resources={"limits": {"cpu": "64"}})
    await alice.until_condition("Accepted", "False", "LimitExceeded")
    await namespace.apply("alice", resources={"limits": {"cpu": "1"}})
    assert (await (await alice.until_ready()).execute("true")).exit_code == 0
