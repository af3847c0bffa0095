"""The operator's pod asks for nothing that it does not need."""

from typing import Any

import pytest

from tests.chart.helm_cli import Helm, Manifest, Rendered


@pytest.fixture
def pod(default: Rendered) -> Manifest:
    spec: Manifest = default.one("Deployment")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


def test_it_runs_as_nobody_in_particular(pod: Manifest) -> None:
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_it_has_no_privilege_and_a_root_file_system_that_it_cannot_write(container: Manifest) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_it_shares_nothing_with_its_node(pod: Manifest) -> None:
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all("hostPath" not in volume for volume in pod["volumes"])


def test_it_has_requests_and_a_memory_limit(container: Manifest) -> None:
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"].keys() == {"memory"}


def test_it_is_probed(container: Manifest) -> None:
    probed = {probe: container[probe]["httpGet"] for probe in container if probe.endswith("Probe")}
    assert probed == {
        "startupProbe": {"path": "/healthz", "port": "http"},
        "livenessProbe": {"path": "/healthz", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]


def test_it_knows_its_name_its_namespace_and_its_settings(pod: Manifest, container: Manifest) -> None:
    env: dict[str, Any] = {variable["name"]: variable for variable in container["env"]}
    assert env["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert env["POD_NAMESPACE"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.namespace"
    assert env["TERMINAL_OPERATOR_CONFIG"]["value"] == "/etc/terminal-operator/settings.yaml"
    mounts = container["volumeMounts"]
    assert {"name": "settings", "mountPath": "/etc/terminal-operator", "readOnly": True} in mounts
    assert {"name": "settings", "configMap": {"name": "terminal-operator"}} in pod["volumes"]


def test_an_upgrade_never_leaves_fewer_operators_than_asked_for(default: Rendered) -> None:
    spec = default.one("Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_an_existing_service_account_is_used_as_it_is(helm: Helm) -> None:
    rendered = helm.set(serviceAccount__create="false", serviceAccount__name="theirs")
    assert not rendered.all("ServiceAccount")
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"
    for binding in (*rendered.all("ClusterRoleBinding"), *rendered.all("RoleBinding")):
        assert [subject["name"] for subject in binding["subjects"]] == ["theirs"]
