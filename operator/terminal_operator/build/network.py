"""The NetworkPolicy and the Service of a Terminal.

In: only from the ingress controller, on the one port. Out: by default DNS and every public address, nothing
private and nothing of the cluster.
"""

from ipaddress import ip_network
from typing import Any

from terminal_operator.api.models import EgressRule, Network, Terminal
from terminal_operator.build.metadata import Manifest, child_metadata, names_of
from terminal_operator.build.spec import EffectiveSpec
from terminal_operator.settings import NetworkSettings

PORT = 8000
PORT_NAME = "http"

# Source: the IANA special-purpose address registries (RFC 6890), those that can lead to a machine of the cluster
# or its neighbours. The documentation ranges lead nowhere and are left out.
NOT_PUBLIC_V4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local, with the clouds' metadata services
    "172.16.0.0/12",  # private
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarking, used inside data centres
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved
)
NOT_PUBLIC_V6 = (
    "::/96",  # unspecified, loopback, IPv4-compatible (IPv4-mapped addresses are IPv4, and refused as IPv6 here)
    "64:ff9b::/96",  # NAT64: IPv4 by another name
    "64:ff9b:1::/48",  # NAT64, local use
    "2002::/16",  # 6to4: IPv4 by another name
    "fc00::/7",  # unique local, with the clouds' metadata services
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated and still routed
    "ff00::/8",  # multicast
)


def build_service(terminal: Terminal) -> Manifest:
    """Return the Service that stands for the Terminal's pod."""
    names = names_of(terminal)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(terminal, names.base),
        "spec": {
            "type": "ClusterIP",
            "selector": names.selector,
            # There is one pod and no other to send requests to: one that is too busy to answer a probe in time still
            # answers its user, and one that has just begun to listen need not wait for the kubelet's next probe.
            "publishNotReadyAddresses": True,
            "ports": [{"name": PORT_NAME, "port": PORT, "targetPort": PORT_NAME, "protocol": "TCP"}],
        },
    }


def build_network_policy(terminal: Terminal, spec: EffectiveSpec, settings: NetworkSettings) -> Manifest:
    """Return the policy that isolates the Terminal's pod in both directions."""
    names = names_of(terminal)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(terminal, names.base),
        "spec": {
            "podSelector": {"matchLabels": names.selector},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [_ingress(settings)] if settings.ingress_from else [],
            "egress": _egress(spec.network, settings),
        },
    }


def _ingress(settings: NetworkSettings) -> Manifest:
    return {"from": list(settings.ingress_from), "ports": [{"port": PORT, "protocol": "TCP"}]}


def _egress(network: Network, settings: NetworkSettings) -> list[Manifest]:
    match network.egress:
        case "None":
            return []
        case "Custom":
            return [*_dns(settings), *(_allowed(rule) for rule in network.allow)]
        case _:
            return [*_dns(settings), _internet(settings)]


def _dns(settings: NetworkSettings) -> list[Manifest]:
    if not settings.dns:
        return []  # a rule that names nobody would let through to everybody
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    return [{"to": list(settings.dns), "ports": ports}]


def _internet(settings: NetworkSettings) -> Manifest:
    def block(everything: str, version: int, not_public: tuple[str, ...]) -> dict[str, Any]:
        extra = [cidr for cidr in settings.blocked_cidrs if ip_network(cidr).version == version]
        return {"ipBlock": {"cidr": everything, "except": [*not_public, *extra]}}

    return {"to": [block("0.0.0.0/0", 4, NOT_PUBLIC_V4), block("::/0", 6, NOT_PUBLIC_V6)]}


def _allowed(rule: EgressRule) -> Manifest:
    peer: Manifest = {"to": [{"ipBlock": {"cidr": str(ip_network(rule.cidr, strict=False))}}]}
    if rule.ports:
        peer["ports"] = [{"port": port, "protocol": "TCP"} for port in rule.ports]
    return peer
