"""The cache: what comes in any order, from three sides, ends as the newest that was said."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from terminal_operator.api.group import DEFAULT_CLASS_ANNOTATION, TERMINAL_LABEL
from terminal_operator.controller.cache import Cache, Key, key_of
from terminal_operator.kube.cluster import Listing
from terminal_operator.kube.kinds import SERVICE, TERMINAL_CLASS

from tests.unit.operator.making import Manifest, class_body, terminal_body


def service(version: int, *, uid: str = "u1", name: str = "one", **metadata: Any) -> Manifest:
    identity = {"namespace": "team", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {**identity, **metadata}}


def version_of(cache: Cache) -> str | None:
    found = cache.get(SERVICE, "team", "one")
    return found["metadata"]["resourceVersion"] if found else None


def test_an_older_version_is_no_news_and_changes_nothing() -> None:
    cache = Cache()
    assert cache.observe(service(10))
    assert not cache.observe(service(9))
    assert not cache.observe(service(10))
    assert version_of(cache) == "10"


def test_versions_are_compared_as_numbers() -> None:
    cache = Cache()
    cache.observe(service(9))
    assert cache.observe(service(10))


def test_who_manages_which_field_is_not_remembered() -> None:
    cache = Cache()
    cache.observe(service(1, managedFields=[{"manager": "x"}]))
    found = cache.get(SERVICE, "team", "one")
    assert found is not None
    assert "managedFields" not in found["metadata"]


def test_a_late_word_of_a_deleted_object_does_not_bring_it_back() -> None:
    cache = Cache()
    cache.observe(service(10))
    cache.forget(service(12))
    assert not cache.observe(service(11))
    assert version_of(cache) is None


def test_an_object_that_lost_its_label_and_got_it_back_is_there_again() -> None:
    cache = Cache()
    cache.observe(service(10))
    cache.forget(service(11))
    assert cache.observe(service(12))
    assert version_of(cache) == "12"


def test_a_late_word_of_a_lost_label_does_not_hide_an_object_that_has_it_again() -> None:
    cache = Cache()
    cache.observe(service(12))
    cache.forget(service(11))
    assert version_of(cache) == "12"


def test_the_end_of_an_object_does_not_touch_its_successor() -> None:
    cache = Cache()
    cache.observe(service(10))
    cache.observe(service(13, uid="u2"))
    cache.forget(service(12))
    assert version_of(cache) == "13"


def test_a_complete_list_removes_what_it_lacks_and_tells_of_it() -> None:
    cache = Cache()
    cache.observe(service(10))
    cache.observe(service(11, uid="u2", name="two"))
    news = cache.replace(SERVICE, Listing([service(11, uid="u2", name="two")], "20"))
    assert [each["metadata"]["name"] for each in news] == ["one"]
    assert version_of(cache) is None


def test_a_list_does_not_remove_what_was_seen_after_it_was_made() -> None:
    cache = Cache()
    cache.observe(service(21))
    assert cache.replace(SERVICE, Listing([], "20")) == []
    assert version_of(cache) == "21"


def test_a_list_does_not_bring_back_what_was_deleted_after_it_was_made() -> None:
    cache = Cache()
    cache.observe(service(10))
    cache.forget(service(21))
    assert cache.replace(SERVICE, Listing([service(10)], "20")) == []
    assert version_of(cache) is None


def test_a_list_of_what_is_known_is_no_news() -> None:
    cache = Cache()
    cache.observe(service(10))
    assert cache.replace(SERVICE, Listing([service(10)], "20")) == []


@given(st.permutations(range(1, 7)), st.integers(0, 6))
def test_in_whatever_order_changes_come_the_newest_stands(order: list[int], deletion: int) -> None:
    cache = Cache()
    for version in order:
        if version == deletion:
            cache.forget(service(version))
        else:
            cache.observe(service(version))
    assert version_of(cache) == (None if deletion == 6 else "6")


def a_class(name: str, created: str, *, default: bool = True) -> Manifest:
    body = class_body(name, default=default)
    body["metadata"] |= {"resourceVersion": "1", "creationTimestamp": created}
    return body


def test_a_class_is_found_by_name_and_the_default_one_without() -> None:
    cache = Cache()
    cache.observe(a_class("plain", "2026-01-03T00:00:00Z", default=False))
    assert cache.terminal_class(None) is None
    cache.observe(a_class("usual", "2026-01-01T00:00:00Z"))
    assert cache.terminal_class("plain") == cache.get(TERMINAL_CLASS, "", "plain")
    assert cache.terminal_class(None) == cache.get(TERMINAL_CLASS, "", "usual")
    assert cache.terminal_class("no such") is None


def test_of_several_default_classes_the_newest_is_used_and_then_the_last_by_name() -> None:
    cache = Cache()
    for name, created in (("b", "2026-01-02"), ("c", "2026-01-02"), ("d", "2026-01-01")):
        cache.observe(a_class(name, f"{created}T00:00:00Z"))
    chosen = cache.terminal_class(None)
    assert chosen is not None
    assert chosen["metadata"]["name"] == "c"


def test_only_the_word_true_makes_a_default() -> None:
    cache = Cache()
    body = a_class("one", "2026-01-01T00:00:00Z")
    body["metadata"]["annotations"][DEFAULT_CLASS_ANNOTATION] = "yes"
    cache.observe(body)
    assert cache.terminal_class(None) is None


OWNER = {"apiVersion": "terminal-operator.dev/v1alpha1", "kind": "Terminal", "name": "alice", "uid": "u"}


def test_a_child_belongs_to_its_owner_whatever_its_label_says() -> None:
    child = service(1, labels={TERMINAL_LABEL: "mallory"}, ownerReferences=[OWNER])
    assert key_of(child) == Key("team", "alice")


def test_a_child_without_an_owner_belongs_to_its_label() -> None:
    assert key_of(service(1, labels={TERMINAL_LABEL: "alice"})) == Key("team", "alice")
    other = {**OWNER, "kind": "Deployment"}
    assert key_of(service(1, labels={TERMINAL_LABEL: "bob"}, ownerReferences=[other])) == Key("team", "bob")
    assert key_of(service(1)) is None


def test_a_terminal_belongs_to_itself_and_a_class_to_nobody() -> None:
    assert key_of(terminal_body()) == Key("team", "alice")
    assert key_of(class_body()) is None
    assert str(Key("team", "alice")) == "team/alice"
