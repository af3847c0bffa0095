"""The key's Secret: made once, its hash beside it, and repaired without ever holding the key."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_operator.build.key import build_key_secret, key_is_lost, repair_key_secret

from tests.unit.operator.making import Manifest, terminal


def observed(key: str = "the key", **data: str) -> Manifest:
    secret = build_key_secret(terminal(), key)
    secret["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    secret["data"] |= {name.replace("_", "-"): encoded(value) for name, value in data.items()}
    return secret


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_secret_holds_the_key_and_its_hash() -> None:
    data = observed()["data"]
    assert base64.b64decode(data["api-key"]) == b"the key"
    assert base64.b64decode(data["api-key.sha256"]).decode() == hashlib.sha256(b"the key").hexdigest()


def test_of_a_whole_secret_nothing_is_repaired() -> None:
    assert repair_key_secret(terminal(), observed()) is None


def test_labels_are_put_back_and_others_left() -> None:
    secret = observed()
    secret["metadata"]["labels"] = {"theirs": "1", "terminal-operator.dev/terminal": "mallory"}
    repair = repair_key_secret(terminal(), secret)
    assert repair is not None
    assert "data" not in repair
    assert repair["metadata"]["labels"]["terminal-operator.dev/terminal"] == "alice"
    assert "theirs" not in repair["metadata"]["labels"]
    assert (repair["metadata"]["uid"], repair["metadata"]["resourceVersion"]) == ("u", "7")


@pytest.mark.parametrize("key", ["another", "another\n", " another"])
def test_where_a_person_put_in_another_key_the_hash_follows_it(key: str) -> None:
    secret = observed()
    secret["data"]["api-key"] = encoded(key)
    repair = repair_key_secret(terminal(), secret)
    assert repair is not None
    assert repair["data"] == {"api-key.sha256": encoded(hashlib.sha256(b"another").hexdigest())}


@pytest.mark.parametrize("data", [None, {}, {"api-key": ""}, {"api-key": encoded("\n")}, {"other": "eA=="}])
def test_a_key_that_is_gone_is_not_made_up(data: Manifest | None) -> None:
    secret = {**observed(), "data": data}
    assert key_is_lost(secret)
    assert repair_key_secret(terminal(), secret) is None


DATA = st.dictionaries(
    st.sampled_from(["api-key", "api-key.sha256", "more"]),
    st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode()),
)
LABELS = st.dictionaries(st.sampled_from(["app.kubernetes.io/name", "x"]), st.sampled_from(["terminal", "y"]))


@given(DATA | st.none(), LABELS | st.none())
def test_whatever_a_secret_holds_a_repair_never_names_the_key(
    data: dict[str, str] | None, labels: dict[str, str] | None
) -> None:
    secret = observed()
    secret |= {"data": data}
    secret["metadata"] |= {"labels": labels}
    repair = repair_key_secret(terminal(), secret)
    if repair is not None:
        assert set(repair.get("data", {})) <= {"api-key.sha256"}
        assert set(repair) <= {"apiVersion", "kind", "metadata", "data"}
        assert repair["metadata"]["resourceVersion"] == "7"
