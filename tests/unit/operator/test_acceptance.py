"""What a class allows: the first rule that is broken is named, with the field and the limit."""

import pytest
from terminal_operator.decide.acceptance import find_violation

from tests.unit.operator.making import IMAGE, RICH_CLASS, RICH_TERMINAL, Manifest, terminal, terminal_class

ALL = ["image", "resources", "storage", "env", "network"]
LIMITS: Manifest = {
    "overridable": ALL,
    "allowedImages": ["teams/exact:1", "teams/any:*"],
    "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "maxResources": {"cpu": 4, "memory": "8Gi"},
    "maxStorage": "10Gi",
}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"image": IMAGE},
        {"image": "teams/exact:1"},
        {"image": "teams/any:thing"},
        {"resources": {"limits": {"cpu": "4000m", "memory": "8192Mi"}}},
        {"resources": {"limits": {"ephemeral-storage": "1Ti"}}},
        {"resources": {"limits": {"cpu": "100m"}}},
        {"storage": {"size": "10240Mi"}},
        {"storage": {"storageClassName": "slow"}},
        {"env": [], "network": {"egress": "None"}},
    ],
    ids=str,
)
def test_what_is_within_the_class_is_accepted(spec: Manifest) -> None:
    assert find_violation(terminal(**spec), terminal_class(**LIMITS)) is None


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        ({"image": "teams/exact:2"}, "ImageNotAllowed", ["spec.image teams/exact:2", "teams/any:*"]),
        ({"image": "teams/exact:1.evil"}, "ImageNotAllowed", ["spec.image"]),
        ({"resources": {"limits": {"cpu": "4001m"}}}, "LimitExceeded", ["limits.cpu 4001m", "the 4 "]),
        ({"resources": {"requests": {"memory": "9Gi"}}}, "LimitExceeded", ["requests.memory 9Gi", "8Gi"]),
        ({"resources": {"requests": {"cpu": "2"}}}, "RequestOverLimit", ["requests.cpu 2", "limit 1"]),
        ({"storage": {"size": "11Gi"}}, "LimitExceeded", ["spec.storage.size 11Gi", "10Gi"]),
    ],
    ids=str,
)
def test_what_is_over_a_limit_is_refused_with_field_and_limit(
    spec: Manifest, reason: str, words: list[str]
) -> None:
    violation = find_violation(terminal(**spec), terminal_class(**LIMITS))
    assert violation is not None
    assert violation.reason == reason
    assert [word for word in words if word not in violation.message] == []


@pytest.mark.parametrize("field", ALL)
def test_a_field_that_is_not_overridable_may_not_be_set_at_all(field: str) -> None:
    platform = terminal_class(**{**RICH_CLASS, "overridable": [each for each in ALL if each != field]})
    violation = find_violation(terminal(**RICH_TERMINAL), platform)
    assert violation is not None
    assert violation.reason == "FieldNotOverridable"
    assert f"spec.{field} may not be set" in violation.message


def test_a_class_that_lets_nothing_be_set_says_so() -> None:
    violation = find_violation(terminal(env=[]), terminal_class(overridable=[]))
    assert violation is not None
    assert "lets a Terminal set nothing" in violation.message


def test_a_terminal_that_asks_for_nothing_is_within_every_class() -> None:
    assert (
        find_violation(terminal(), terminal_class(overridable=[], maxStorage="1", maxResources={"cpu": 1}))
        is None
    )
