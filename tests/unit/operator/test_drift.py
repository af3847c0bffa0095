"""What is a difference and what is not, between what is wanted and what the API server holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_operator.decide.drift import differs

SAME: dict[str, tuple[Any, Any]] = {
    "a default beside it": ({"a": 1}, {"a": 1, "b": 2}),
    "deep": ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
    "an amount written otherwise": ({"limits": {"cpu": "0.5"}}, {"limits": {"cpu": "500m"}}),
    "a volume's size": ({"emptyDir": {"sizeLimit": "1024Mi"}}, {"emptyDir": {"sizeLimit": "1Gi"}}),
    "an empty list left out": ({"spec": {"egress": []}}, {"spec": {}}),
    "empty amounts left out": ({"resources": {"limits": {}}}, {"resources": {}}),
    "an empty value left out": ({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A"}]}),
    "a container that was injected": (
        {"containers": [{"name": "a", "image": "x"}]},
        {"containers": [{"name": "proxy"}, {"name": "a", "image": "x", "terminationMessagePath": "/dev/x"}]},
    ),
    "another owner beside": (
        {"ownerReferences": [{"uid": "1"}]},
        {"ownerReferences": [{"uid": "2"}, {"uid": "1"}]},
    ),
    "a toleration that admission added": (
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{"key": "not-ready", "effect": "NoExecute"}, {"key": "a"}]},
    ),
    "a default in a port": ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "TCP"}]}),
    "a label that happens to be called limits": ({"limits": "none"}, {"limits": "none"}),
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "a value": ({"a": 1}, {"a": 2}),
    "missing": ({"a": 1}, {}),
    "missing deep": ({"a": {"b": 1}}, {"a": None}),
    "an amount": ({"requests": {"storage": "1Gi"}}, {"requests": {"storage": "1G"}}),
    "no amount": ({"limits": {"cpu": "1"}}, {"limits": {}}),
    "a list that is shorter": ({"ports": [{"port": 1}, {"port": 2}]}, {"ports": [{"port": 1}]}),
    "a list that is longer": ({"ports": [{"port": 1}]}, {"ports": [{"port": 1}, {"port": 2}]}),
    "a list in another order": ({"policyTypes": ["A", "B"]}, {"policyTypes": ["B", "A"]}),
    "what should be empty": ({"egress": []}, {"egress": [{}]}),
    "a container": (
        {"containers": [{"name": "a", "image": "x"}]},
        {"containers": [{"name": "a", "image": "y"}]},
    ),
    "no such container": ({"containers": [{"name": "a"}]}, {"containers": [{"name": "b"}]}),
    "a toleration": ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}),
    "another type": ({"a": [1]}, {"a": {"b": 1}}),
    "a word where an amount should be": ({"limits": "some"}, {"limits": "none"}),
    "a label more in a selector": ({"selector": {"a": "1"}}, {"selector": {"a": "1", "b": "2"}}),
    "a label more to isolate": (
        {"podSelector": {"matchLabels": {"a": "1"}}},
        {"podSelector": {"matchLabels": {"a": "1", "b": "2"}}},
    ),
    "a range of ports": (
        {"egress": [{"ports": [{"port": 53}]}]},
        {"egress": [{"ports": [{"port": 53, "endPort": 60000}]}]},
    ),
    "a filter in a route": (
        {"rules": [{"backendRefs": [{"name": "a"}]}]},
        {"rules": [{"backendRefs": [{"name": "a"}], "filters": [{"type": "RequestMirror"}]}]},
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_this_is_no_difference(case: str) -> None:
    desired, observed = SAME[case]
    assert not differs(desired, observed)


@pytest.mark.parametrize("case", DIFFERENT)
def test_this_is_a_difference(case: str) -> None:
    desired, observed = DIFFERENT[case]
    assert differs(desired, observed)


FIELDS = ["a", "limits", "selector", "rules", "tolerations"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab1m", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert not differs(value, value)
    assert not differs({"x": value}, {"x": value, "added": 1})


@given(VALUES, VALUES)
def test_whatever_is_compared_there_is_an_answer(desired: Any, observed: Any) -> None:
    assert differs(desired, observed) in {True, False}
