"""Every process of the node as data: what it is called, its command, and what it waits for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from localcluster.addresses import (
    API_PORT,
    CLUSTER_CIDR,
    HTTP_PORT,
    NODE_IP,
    SERVICE_CIDR,
    UPSTREAM_DNS,
)
from localcluster.nodeconfig import NETWORK
from localcluster.settings import CLUSTER_DIR

if TYPE_CHECKING:
    from localcluster.settings import Settings
    from localcluster.tools import Tools

_ETCD = "http://127.0.0.1:2379"
_ETCD_PEERS = "http://127.0.0.1:2380"
_NO_THROTTLE = ("--kube-api-qps", "1000", "--kube-api-burst", "2000")


class After(Enum):
    """What must hold before a component is started for the first time."""

    NOTHING = "nothing"
    CONTAINERD = "containerd's socket"
    API = "the API server"
    NODE = "the node's registration"


@dataclass(frozen=True)
class Component:
    """One supervised process."""

    name: str
    argv: tuple[str, ...]
    after: After = After.NOTHING
    on_host_network: bool = False


def node_components(settings: Settings, tools: Tools) -> tuple[Component, ...]:
    """All processes of the native node, in the order they are started."""
    return (
        _way_out(),
        _ports(settings),
        _etcd(settings, tools),
        _api_server(settings, tools),
        Component(
            "containerd", (tools.program("containerd"), "-c", str(settings.etc_dir / "containerd.toml"))
        ),
        _kubelet(settings, tools),
        _controller_manager(settings, tools),
        _scheduler(settings, tools),
        _proxy(settings, tools),
        _network_policy(settings, tools),
    )


def _way_out() -> Component:
    """Joins the node's network with the machine's in user mode, for connections out of it.

    The machine's interfaces, routes and firewall stay as they are, and its own loopback services cannot be
    reached from pods (--no-map-gw).
    """
    argv = (
        *("pasta", "--foreground", "--quiet", "--config-net", "--no-map-gw", "--runas", "0:0"),
        *("--dns-forward", UPSTREAM_DNS),
        *("--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none"),
        *("--netns", NETWORK, "--netns-only"),
    )
    return Component("way-out", argv, on_host_network=True)


def _ports(settings: Settings) -> Component:
    """The two loopback ports that lead into the node."""
    program = str(CLUSTER_DIR / "localcluster" / "forward.py")
    mappings = (f"{settings.api_port}:{API_PORT}", f"{settings.http_port}:{HTTP_PORT}")
    return Component("ports", (sys.executable, program, NETWORK, *mappings), on_host_network=True)


def _etcd(settings: Settings, tools: Tools) -> Component:
    argv = (
        *(tools.program("etcd"), "--data-dir", str(settings.volatile_dir / "etcd")),
        *("--listen-client-urls", _ETCD, "--advertise-client-urls", _ETCD),
        *("--listen-peer-urls", _ETCD_PEERS, "--unsafe-no-fsync"),
    )
    return Component("etcd", argv)


def _api_server(settings: Settings, tools: Tools) -> Component:
    pki = settings.pki_dir
    argv = (
        *(tools.program("kube-apiserver"), "--etcd-servers", _ETCD),
        *("--advertise-address", NODE_IP, "--secure-port", str(API_PORT)),
        *(
            "--tls-cert-file",
            str(pki / "apiserver.crt"),
            "--tls-private-key-file",
            str(pki / "apiserver.key"),
        ),
        *("--client-ca-file", str(pki / "ca.crt")),
        *("--kubelet-client-certificate", str(pki / "kubelet-client.crt")),
        *("--kubelet-client-key", str(pki / "kubelet-client.key")),
        *("--kubelet-certificate-authority", str(pki / "ca.crt")),
        # By address: otherwise exec and logs would look the node's name up in DNS.
        *("--kubelet-preferred-address-types", "InternalIP"),
        *("--allow-privileged=true", "--authorization-mode", "Node,RBAC"),
        *("--enable-admission-plugins", "NodeRestriction"),
        *("--service-cluster-ip-range", SERVICE_CIDR),
        *("--service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        *("--service-account-key-file", str(pki / "sa.pub")),
        *("--service-account-signing-key-file", str(pki / "sa.key")),
    )
    return Component("apiserver", argv)


def _kubelet(settings: Settings, tools: Tools) -> Component:
    argv = (
        *(tools.program("kubelet"), "--config", str(settings.etc_dir / "kubelet.json")),
        *("--kubeconfig", str(settings.pki_dir / "node.kubeconfig")),
        *("--hostname-override", settings.node_name, "--node-ip", NODE_IP),
        *("--root-dir", str(settings.volatile_dir / "kubelet")),
    )
    return Component("kubelet", argv, After.CONTAINERD)


def _controller_manager(settings: Settings, tools: Tools) -> Component:
    pki = settings.pki_dir
    argv = (
        *(
            tools.program("kube-controller-manager"),
            "--kubeconfig",
            str(pki / "controller-manager.kubeconfig"),
        ),
        *("--service-account-private-key-file", str(pki / "sa.key"), "--root-ca-file", str(pki / "ca.crt")),
        *(
            "--cluster-signing-cert-file",
            str(pki / "ca.crt"),
            "--cluster-signing-key-file",
            str(pki / "ca.key"),
        ),
        *("--use-service-account-credentials", "--allocate-node-cidrs=false", "--leader-elect=false"),
        *_NO_THROTTLE,
    )
    return Component("controller-manager", argv, After.API)


def _scheduler(settings: Settings, tools: Tools) -> Component:
    argv = (
        *(tools.program("kube-scheduler"), "--kubeconfig", str(settings.pki_dir / "scheduler.kubeconfig")),
        *("--leader-elect=false", *_NO_THROTTLE),
    )
    return Component("scheduler", argv, After.API)


def _proxy(settings: Settings, tools: Tools) -> Component:
    """Services. In nftables mode: some kernels have no IPVS; the conntrack limits are the machine's."""
    argv = (
        *(tools.program("kube-proxy"), "--kubeconfig", str(settings.pki_dir / "proxy.kubeconfig")),
        *("--hostname-override", settings.node_name, "--cluster-cidr", CLUSTER_CIDR),
        *("--proxy-mode", "nftables", "--conntrack-max-per-core", "0"),
        *("--conntrack-tcp-timeout-established", "0s", "--conntrack-tcp-timeout-close-wait", "0s"),
    )
    return Component("proxy", argv, After.NODE)


def _network_policy(settings: Settings, tools: Tools) -> Component:
    """Enforces NetworkPolicy. kube-router, as the others need `nft queue`, which some kernels lack."""
    argv = (
        *(tools.program("kube-router"), "--kubeconfig", str(settings.pki_dir / "network-policy.kubeconfig")),
        *("--run-firewall=true", "--run-router=false", "--run-service-proxy=false"),
        *("--run-loadbalancer=false", f"--hostname-override={settings.node_name}"),
        *("--health-port=0", "--metrics-port=0"),
    )
    return Component("network-policy", argv, After.NODE)
