"""What a caller may choose, and what happens when it makes no sense."""

from pathlib import Path

import pytest
from localcluster import settings
from localcluster.errors import ClusterError

HOME = {"HOME": "/home/somebody"}
DOCUMENTATION = settings.REPOSITORY / "docs/cluster.md"


def test_without_any_setting_the_demo_cluster_is_meant() -> None:
    chosen = settings.from_environment(HOME)
    assert (chosen.name, chosen.backend, chosen.api_port, chosen.http_port) == (
        "terminals",
        "auto",
        6443,
        8080,
    )
    assert chosen.cache == Path("/home/somebody/.cache/terminal-operator")


def test_an_empty_variable_is_as_good_as_none() -> None:
    empty = dict.fromkeys(
        ["CLUSTER_NAME", "CLUSTER_BACKEND", "CLUSTER_API_PORT", "CLUSTER_KEEP_GO_CACHE"], ""
    )
    assert settings.from_environment(HOME | empty) == settings.from_environment(HOME)


def test_the_cache_follows_xdg_and_its_own_variable_wins() -> None:
    assert settings.from_environment(HOME | {"XDG_CACHE_HOME": "/x"}).cache == Path("/x/terminal-operator")
    both = HOME | {"XDG_CACHE_HOME": "/x", "TERMINAL_OPERATOR_CACHE": "/y"}
    assert settings.from_environment(both).cache == Path("/y")


def test_two_clusters_share_no_folder_but_the_caches() -> None:
    one = settings.from_environment(HOME | {"CLUSTER_NAME": "one"})
    two = settings.from_environment(HOME | {"CLUSTER_NAME": "two"})
    assert one.cluster_dir != two.cluster_dir
    assert one.images_dir == two.images_dir
    for folder in (one.volatile_dir, one.containerd_dir, one.pki_dir, one.logs_dir, one.kubeconfig):
        assert folder.is_relative_to(one.cluster_dir)


def test_the_node_has_the_name_that_kind_would_give_it() -> None:
    assert settings.from_environment(HOME | {"CLUSTER_NAME": "mine"}).node_name == "mine-control-plane"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLUSTER_NAME", "Upper"),
        ("CLUSTER_NAME", "a/b"),
        ("CLUSTER_NAME", "-a"),
        ("CLUSTER_NAME", "a-"),
        ("CLUSTER_NAME", "a" * 31),
        ("CLUSTER_BACKEND", "minikube"),
        ("CLUSTER_API_PORT", "0"),
        ("CLUSTER_API_PORT", "65536"),
        ("CLUSTER_HTTP_PORT", "http"),
        ("CLUSTER_HTTP_PORT", "-1"),
        ("CLUSTER_KEEP_GO_CACHE", "yes"),
        ("CLUSTER_GO_CACHE_FROM_ENV", "true"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(variable: str, value: str) -> None:
    with pytest.raises(ClusterError, match=variable):
        settings.from_environment(HOME | {variable: value})


def test_both_services_cannot_have_one_port() -> None:
    with pytest.raises(ClusterError, match="both 8080"):
        settings.from_environment(HOME | {"CLUSTER_API_PORT": "8080"})


def test_every_setting_is_documented() -> None:
    read = set[str]()

    class Recorder(dict[str, str]):
        def get(self, key: str, default: object = None) -> str | None:  # type: ignore[override]
            read.add(key)
            return super().get(key, default)  # type: ignore[arg-type]

    settings.from_environment(Recorder(HOME))
    read.discard("HOME")
    text = DOCUMENTATION.read_text()
    assert len(read) > 5
    assert [name for name in sorted(read) if f"`{name}`" not in text] == []
