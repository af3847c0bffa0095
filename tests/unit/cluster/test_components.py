"""The node's processes as data."""

import json
from pathlib import Path

import pytest
from localcluster import nodeconfig
from localcluster.components import After, Component, node_components
from localcluster.settings import Settings
from localcluster.tools import Tools

TOOLS = Tools(Path("/tools"))


@pytest.fixture
def components(chosen: Settings) -> dict[str, Component]:
    return {component.name: component for component in node_components(chosen, TOOLS)}


def option(component: Component, name: str) -> str:
    """The value of an option, given as `--name value` or `--name=value`."""
    for position, word in enumerate(component.argv):
        if word == name:
            return component.argv[position + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    raise AssertionError(f"{component.name} has no {name}")


def test_everything_a_node_needs_is_started_once(components: dict[str, Component], chosen: Settings) -> None:
    assert list(components) == [
        "way-out",
        "ports",
        "etcd",
        "apiserver",
        "containerd",
        "kubelet",
        "controller-manager",
        "scheduler",
        "proxy",
        "network-policy",
    ]
    assert len(node_components(chosen, TOOLS)) == len(components)


def test_only_those_that_join_the_networks_run_on_the_machines(components: dict[str, Component]) -> None:
    joining = [name for name, component in components.items() if component.on_host_network]
    assert joining == ["way-out", "ports"]


def test_both_ports_lead_into_the_node(components: dict[str, Component]) -> None:
    assert components["ports"].argv[-3:] == (nodeconfig.NETWORK, "26111:6443", "26112:80")


def test_pods_cannot_reach_what_listens_on_the_machines_loopback(components: dict[str, Component]) -> None:
    way_out = components["way-out"]
    assert "--no-map-gw" in way_out.argv
    for option_name in ("--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"):
        assert option(way_out, option_name) == "none"


def test_the_kubelet_waits_for_containerd_and_the_network_programs_for_the_node(
    components: dict[str, Component],
) -> None:
    waits = {name: component.after for name, component in components.items()}
    assert waits["kubelet"] is After.CONTAINERD
    assert waits["proxy"] is waits["network-policy"] is After.NODE
    assert waits["controller-manager"] is waits["scheduler"] is After.API


def test_the_node_is_called_the_same_by_everyone(components: dict[str, Component]) -> None:
    names = {
        option(components[name], "--hostname-override") for name in ("kubelet", "proxy", "network-policy")
    }
    assert names == {"unit-control-plane"}


def test_programs_come_from_the_cache_and_state_goes_below_the_cluster(
    components: dict[str, Component], chosen: Settings
) -> None:
    for name, component in components.items():
        assert name in {"way-out", "ports"} or component.argv[0].startswith("/tools/bin/")
    assert Path(option(components["etcd"], "--data-dir")).is_relative_to(chosen.volatile_dir)
    assert Path(option(components["kubelet"], "--root-dir")).is_relative_to(chosen.volatile_dir)


def test_the_kubelet_limits_processes_and_keeps_to_its_own_control_group(chosen: Settings) -> None:
    config = json.loads(nodeconfig.kubelet(chosen))
    assert (config["podPidsLimit"], config["maxPods"]) == (1024, 250)
    assert config["cgroupRoot"] == "/terminal-operator-unit"


def test_containerd_keeps_images_outside_what_the_next_run_empties(chosen: Settings) -> None:
    assert f'root = "{chosen.containerd_dir}"' in nodeconfig.containerd(chosen, TOOLS)
    assert not chosen.containerd_dir.is_relative_to(chosen.volatile_dir)


def test_the_containerd_that_cleans_up_knows_nothing_of_pods(chosen: Settings) -> None:
    assert "disabled_plugins" not in nodeconfig.containerd(chosen, TOOLS)
    assert "io.containerd.grpc.v1.cri" in nodeconfig.containerd(chosen, TOOLS, cri=False).splitlines()[1]
