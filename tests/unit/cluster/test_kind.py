"""What the kind backend asks of kind: here no Docker engine is needed, as nothing is run."""

import json

import pytest
from localcluster import addons, backend, hosttools, kind, tools
from localcluster.errors import ClusterError
from localcluster.native import Native
from localcluster.settings import Settings


def test_both_ports_are_published_on_loopback_only(chosen: Settings) -> None:
    config = kind.config(chosen)
    assert config["networking"] == {"apiServerAddress": "127.0.0.1", "apiServerPort": 26111}
    [node] = config["nodes"]
    assert node["extraPortMappings"] == [
        {"containerPort": 80, "hostPort": 26112, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    ]


def test_processes_per_pod_are_limited_as_on_the_native_node(chosen: Settings) -> None:
    [node] = kind.config(chosen)["nodes"]
    [patch] = node["kubeadmConfigPatches"]
    assert json.loads(patch) == {"kind": "KubeletConfiguration", "podPidsLimit": 1024, "maxPods": 250}


def test_the_cluster_has_the_name_that_was_chosen(chosen: Settings) -> None:
    assert kind.config(chosen)["name"] == "unit"


def test_the_gateway_api_is_the_version_traefik_is_built_with() -> None:
    version = tools.module_version((tools.MODULE / "go.mod").read_text(), "sigs.k8s.io/gateway-api")
    assert f"/{version}/standard-install.yaml" in kind.gateway_api_url()


def test_it_brings_its_own_dns_and_storage() -> None:
    names = {manifest.name for manifest in addons.MANIFESTS.iterdir()}
    assert names == {"dns.yaml", "storage.yaml", "traefik.yaml"}


def test_logs_and_exec_name_what_kind_runs(chosen: Settings) -> None:
    cluster = kind.Kind(chosen)
    assert cluster.exec_command(["id"]) == ["docker", "exec", "--interactive", "unit-control-plane", "id"]
    assert cluster.logs_command("kubelet", follow=True)[-4:] == [
        "journalctl",
        "--unit",
        "kubelet",
        "--follow",
    ]
    assert "component=etcd" in cluster.logs_command("etcd", follow=False)
    with pytest.raises(ClusterError, match=r"known: etcd, .*kubelet"):
        cluster.logs_command("nosuch", follow=False)


@pytest.mark.parametrize(
    ("asked", "docker", "expected"),
    [
        ("auto", True, kind.Kind),
        ("auto", False, Native),
        ("native", True, Native),
        ("kind", False, kind.Kind),
    ],
)
def test_the_backend_is_what_was_asked_for_or_what_the_machine_has(
    *, chosen: Settings, monkeypatch: pytest.MonkeyPatch, asked: str, docker: bool, expected: type
) -> None:
    monkeypatch.setattr(hosttools, "docker_answers", lambda: docker)
    wanted = Settings(name=chosen.name, cache=chosen.cache, backend=asked)
    assert isinstance(backend.choose(wanted), expected)


def test_missing_programs_are_named_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="missing: kind, kubectl, helm, docker"):
        hosttools.require_kind()
