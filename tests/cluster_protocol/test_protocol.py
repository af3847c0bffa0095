"""What the operator relies on a cluster for; the fake one and a real one pass the same tests."""

import pytest
from terminal_operator.kube.cluster import Cluster, Manifest
from terminal_operator.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
)
from terminal_operator.kube.kinds import HTTP_ROUTE, NETWORK_POLICY, SECRET, Kind

STRANGE_UID = "00000000-0000-0000-0000-000000000000"
RULES: Manifest = {"rules": [{"backendRefs": [{"name": "one", "port": 80}]}]}


def secret(namespace: str, name: str = "one", **labels: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"namespace": namespace, "name": name, "labels": {"made-by": "test", **labels}},
        "data": {"a": "MQ==", "b": "Mg=="},
    }


def bound(manifest: Manifest, uid: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid}}


def version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["resourceVersion"])


def route(namespace: str) -> Manifest:
    # A kind defined by a CRD, as a Terminal is; without a parent no controller touches it.
    metadata = {"namespace": namespace, "name": "one"}
    return {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.name,
        "metadata": metadata,
        "spec": RULES,
    }


def status(namespace: str, version: str, *controllers: str) -> Manifest:
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    parents = [
        {"parentRef": {"name": "one"}, "controllerName": f"example.com/{each}", "conditions": [condition]}
        for each in controllers
    ]
    metadata = {"namespace": namespace, "name": "one", "resourceVersion": version}
    return {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.name,
        "metadata": metadata,
        "status": {"parents": parents},
    }


def controllers_of(manifest: Manifest) -> list[str]:
    return [parent["controllerName"] for parent in manifest["status"]["parents"]]


async def test_what_was_created_is_there_with_an_identity(cluster: Cluster, namespace: str) -> None:
    created = await cluster.create(secret(namespace))
    assert created["metadata"]["uid"]
    assert int(created["metadata"]["resourceVersion"]) > 0
    assert created["metadata"]["creationTimestamp"].endswith("Z")
    found = await cluster.get(SECRET, namespace, "one")
    assert found is not None
    assert (found["data"], found["metadata"]["uid"]) == (created["data"], created["metadata"]["uid"])


async def test_nothing_is_created_over_what_exists(cluster: Cluster, namespace: str) -> None:
    await cluster.create(secret(namespace))
    with pytest.raises(AlreadyExistsError):
        await cluster.create({**secret(namespace), "data": {"a": "OQ=="}})
    found = await cluster.get(SECRET, namespace, "one")
    assert found is not None
    assert found["data"] == {"a": "MQ==", "b": "Mg=="}


async def test_what_is_not_there_is_none(cluster: Cluster, namespace: str) -> None:
    assert await cluster.get(SECRET, namespace, "nowhere") is None


async def test_an_apply_removes_a_field_that_the_creation_had_set(cluster: Cluster, namespace: str) -> None:
    created = await cluster.create(secret(namespace))
    wanted = bound({**secret(namespace), "data": {"a": "Mw=="}}, created["metadata"]["uid"])
    applied = await cluster.apply(wanted)
    assert applied["data"] == {"a": "Mw=="}
    assert int(applied["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


async def test_an_apply_removes_a_field_that_an_earlier_apply_had_set(
    cluster: Cluster, namespace: str
) -> None:
    uid = (await cluster.create(secret(namespace)))["metadata"]["uid"]
    await cluster.apply(bound({**secret(namespace), "data": {"a": "MQ==", "c": "Mw=="}}, uid))
    applied = await cluster.apply(bound({**secret(namespace), "data": {"a": "MQ=="}}, uid))
    assert applied["data"] == {"a": "MQ=="}


async def test_an_apply_of_what_is_there_already_changes_no_version(cluster: Cluster, namespace: str) -> None:
    uid = (await cluster.create(secret(namespace)))["metadata"]["uid"]
    first = await cluster.apply(bound(secret(namespace), uid))
    second = await cluster.apply(bound(secret(namespace), uid))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_an_apply_leaves_other_peoples_fields(cluster: Cluster, namespace: str) -> None:
    uid = (await cluster.create(secret(namespace)))["metadata"]["uid"]
    version = (await cluster.apply(bound(secret(namespace), uid)))["metadata"]["resourceVersion"]
    named = {"namespace": namespace, "name": "one", "uid": uid, "resourceVersion": version}
    await cluster.merge({"apiVersion": "v1", "kind": "Secret", "metadata": named, "data": {"theirs": "OQ=="}})
    applied = await cluster.apply(bound({**secret(namespace), "data": {"a": "Mw=="}}, uid))
    assert applied["data"] == {"a": "Mw==", "theirs": "OQ=="}


async def test_an_apply_replaces_a_selector_as_a_whole(cluster: Cluster, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": namespace, "name": "one"},
        "spec": {"selector": {"app": "one"}, "ports": [{"port": 80}]},
    }
    metadata = (await cluster.create(service))["metadata"]
    named = {field: metadata[field] for field in ("namespace", "name", "uid", "resourceVersion")}
    await cluster.merge({**service, "metadata": named, "spec": {"selector": {"more": "yes"}}})
    applied = await cluster.apply(bound(service, metadata["uid"]))
    assert applied["spec"]["selector"] == {"app": "one"}


async def test_an_apply_to_another_object_of_the_name_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    await cluster.create(secret(namespace))
    with pytest.raises(ConflictError):
        await cluster.apply(bound({**secret(namespace), "data": {"a": "OQ=="}}, STRANGE_UID))
    found = await cluster.get(SECRET, namespace, "one")
    assert found is not None
    assert found["data"] == {"a": "MQ==", "b": "Mg=="}


async def test_an_apply_creates_nothing(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFoundError):
        await cluster.apply(bound(secret(namespace), STRANGE_UID))
    assert await cluster.get(SECRET, namespace, "one") is None


async def test_a_merge_changes_the_named_fields_and_no_other(cluster: Cluster, namespace: str) -> None:
    metadata = (await cluster.create(secret(namespace)))["metadata"]
    named = {field: metadata[field] for field in ("namespace", "name", "uid", "resourceVersion")}
    patch = {"apiVersion": "v1", "kind": "Secret", "metadata": {**named, "labels": {"more": "yes"}}}
    merged = await cluster.merge({**patch, "data": {"b": "OQ=="}})
    assert merged["metadata"]["labels"] == {"made-by": "test", "more": "yes"}
    assert merged["data"] == {"a": "MQ==", "b": "OQ=="}


async def test_a_merge_into_an_object_that_changed_meanwhile_is_a_conflict(
    cluster: Cluster, namespace: str
) -> None:
    metadata = (await cluster.create(secret(namespace)))["metadata"]
    named = {field: metadata[field] for field in ("namespace", "name", "uid", "resourceVersion")}
    patch = {"apiVersion": "v1", "kind": "Secret", "metadata": named}
    await cluster.merge({**patch, "data": {"a": "OQ=="}})
    with pytest.raises(ConflictError):
        await cluster.merge({**patch, "data": {"a": "OA=="}})


async def test_a_merge_creates_nothing(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFoundError):
        await cluster.merge(secret(namespace))


async def test_a_deletion_hits_exactly_the_object_that_was_meant(cluster: Cluster, namespace: str) -> None:
    uid = (await cluster.create(secret(namespace)))["metadata"]["uid"]
    await cluster.delete(SECRET, namespace, "one", STRANGE_UID)
    assert await cluster.get(SECRET, namespace, "one") is not None
    await cluster.delete(SECRET, namespace, "one", uid)
    assert await cluster.get(SECRET, namespace, "one") is None
    await cluster.delete(SECRET, namespace, "one", uid)


async def test_a_list_has_the_objects_that_match_the_selector(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal_operator.kube.client._PAGE", 2)
    for number in range(5):
        await cluster.create(secret(namespace, f"chosen-{number}", run=namespace))
    await cluster.create(secret(namespace, "other"))
    listing = await cluster.list(SECRET, f"run={namespace}")
    assert sorted(item["metadata"]["name"] for item in listing.items) == [f"chosen-{n}" for n in range(5)]
    assert {(item["apiVersion"], item["kind"]) for item in listing.items} == {("v1", "Secret")}
    newest = max(int(item["metadata"]["resourceVersion"]) for item in listing.items)
    assert int(listing.resource_version) >= newest


async def test_of_a_kind_that_the_cluster_does_not_know_there_is_nothing(cluster: Cluster) -> None:
    unknown = Kind("nowhere.example.com/v1", "Nothing", "nothings")
    assert (await cluster.list(unknown, "")).items == []


async def test_empty_fields_are_left_out_of_an_answer(cluster: Cluster, namespace: str) -> None:
    policy = {
        "apiVersion": NETWORK_POLICY.api_version,
        "kind": NETWORK_POLICY.name,
        "metadata": {"namespace": namespace, "name": "closed"},
        "spec": {"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Egress"], "egress": []},
    }
    created = await cluster.create(policy)
    assert "egress" not in created["spec"]


async def test_a_status_is_replaced_as_a_whole(cluster: Cluster, namespace: str) -> None:
    created = await cluster.create(route(namespace))
    first = await cluster.apply_status(status(namespace, version_of(created), "a", "b"))
    assert controllers_of(first) == ["example.com/a", "example.com/b"]
    second = await cluster.apply_status(status(namespace, version_of(first), "b"))
    assert controllers_of(second) == ["example.com/b"]
    assert second["spec"] == created["spec"]
    assert second["metadata"]["generation"] == created["metadata"]["generation"]


async def test_a_status_of_an_earlier_version_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    created = await cluster.create(route(namespace))
    await cluster.apply_status(status(namespace, version_of(created), "a"))
    with pytest.raises(ConflictError):
        await cluster.apply_status(status(namespace, version_of(created), "b"))


async def test_a_status_of_an_object_that_was_made_anew_is_a_conflict(
    cluster: Cluster, namespace: str
) -> None:
    first = await cluster.create(route(namespace))
    await cluster.delete(HTTP_ROUTE, namespace, "one", first["metadata"]["uid"])
    await cluster.create(route(namespace))
    with pytest.raises(ConflictError):
        await cluster.apply_status(status(namespace, version_of(first), "a"))


async def test_there_is_no_status_of_an_object_that_is_gone(cluster: Cluster, namespace: str) -> None:
    with pytest.raises((NotFoundError, ConflictError)):
        await cluster.apply_status(status(namespace, "1", "a"))
    assert await cluster.get(HTTP_ROUTE, namespace, "one") is None


async def test_an_event_gets_a_name_of_its_own(cluster: Cluster, namespace: str) -> None:
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": "one-", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "test",
        "reportingInstance": "test",
        "action": "Test",
        "type": "Warning",
        "reason": "Tested",
        "note": "ä" * 512,
        "regarding": {"apiVersion": "v1", "kind": "Secret", "namespace": namespace, "name": "one"},
    }
    first, second = await cluster.create(event), await cluster.create(event)
    assert first["metadata"]["name"] != second["metadata"]["name"]
