"""Derived names are always valid and never shared."""

import re

from hypothesis import assume, example, given
from hypothesis import strategies as st
from terminal_operator.names import TerminalNames

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LETTERS = "ab0-"


def labels(longest: int) -> st.SearchStrategy[str]:
    short = st.text(LETTERS, min_size=1, max_size=6)
    long = st.text(LETTERS, min_size=longest - 3, max_size=longest)
    return (short | long).filter(lambda text: LABEL.fullmatch(text) is not None)


TERMINALS = labels(50)
NAMESPACES = labels(63)


@given(NAMESPACES, TERMINALS)
@example("n" * 63, "t" * 50)
@example("a", "a--a")
def test_every_derived_name_is_valid(namespace: str, terminal: str) -> None:
    names = TerminalNames(namespace, terminal)
    for name in (names.base, names.key_secret, names.home_claim, names.host_label):
        assert LABEL.fullmatch(name), name
    # Of a Service, a host and a pod's hostname a DNS label is asked; a Secret's and a claim's may be longer.
    assert len(names.base) <= 63
    assert len(names.host_label) <= 63
    for value in names.labels.values():
        assert LABEL.fullmatch(value)
        assert len(value) <= 63


@given(NAMESPACES, TERMINALS, NAMESPACES, TERMINALS)
@example("b-c", "a", "c", "a-b")
@example("c", "a-b", "b-c", "a")
@example("n" * 63, "t" * 50, "n" * 62 + "m", "t" * 50)
def test_no_two_terminals_of_a_cluster_share_a_host_or_a_path(
    namespace: str, terminal: str, other_namespace: str, other_terminal: str
) -> None:
    assume((namespace, terminal) != (other_namespace, other_terminal))
    one, other = TerminalNames(namespace, terminal), TerminalNames(other_namespace, other_terminal)
    assert one.host_label != other.host_label
    assert one.path != other.path


@given(NAMESPACES, TERMINALS, TERMINALS)
@example("a", "x", "x-key")
@example("a", "x", "x-home")
def test_no_two_terminals_of_a_namespace_share_a_child(namespace: str, terminal: str, other: str) -> None:
    assume(terminal != other)
    one, two = TerminalNames(namespace, terminal), TerminalNames(namespace, other)
    # By kind: a pod may well have the name of another Terminal's Secret.
    assert one.base != two.base
    assert one.key_secret != two.key_secret
    assert one.home_claim != two.home_claim


def test_a_host_stays_readable_where_it_can() -> None:
    assert TerminalNames("team", "alice").host_label == "alice-team"
    assert re.fullmatch("alice-b-team-[a-z2-7]{10}", TerminalNames("team", "alice-b").host_label)


def test_a_hashed_host_is_never_another_terminals_plain_one() -> None:
    hashed = TerminalNames("team", "a-b").host_label
    assert hashed.count("-") >= 2
    assert TerminalNames("team", "ab").host_label.count("-") == 1


def test_the_selector_chooses_by_labels_that_every_child_has() -> None:
    names = TerminalNames("team", "alice")
    assert names.selector.items() <= names.labels.items()
