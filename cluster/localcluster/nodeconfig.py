"""Configuration files of the node's components, as text: nothing here touches the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from localcluster.addresses import DNS_SERVICE_IP, POD_CIDR, UPSTREAM_DNS

if TYPE_CHECKING:
    from localcluster.settings import Settings
    from localcluster.tools import Tools

# Inside the node's own mounts /run is a tmpfs of its own: constant names are private names.
CONTAINERD_STATE = "/run/containerd"
CONTAINERD_SOCKET = f"{CONTAINERD_STATE}/containerd.sock"
NETWORK = "/run/netns/node"
VOLUMES = "/var/lib/volumes"
PAUSE_IMAGE = "localhost/pause:1"
POD_PIDS_LIMIT = 1024

# One that only keeps images, used to empty a store of the last run's containers before the node starts.
_CRI_PLUGINS = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"]


def containerd(settings: Settings, tools: Tools, *, cri: bool = True) -> str:
    """Settings of containerd (TOML).

    restrict_oom_score_adj: where CAP_SYS_RESOURCE is missing (some virtual machines and containers),
    every sandbox would fail with "failed to update /proc/self/oom_score_adj".
    """
    disabled = "" if cri else f"disabled_plugins = {json.dumps(_CRI_PLUGINS)}\n"
    return f"""version = 3
{disabled}root = "{settings.containerd_dir}"
state = "{CONTAINERD_STATE}"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{tools.cni}"]
    conf_dir = "{settings.etc_dir / "cni"}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "{tools.program("runc")}"
      SystemdCgroup = false
"""


def pod_network() -> str:
    """The network of every pod (a CNI list)."""
    ranges = [[{"subnet": POD_CIDR}]]
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}, indent=2) + "\n"


def kubelet(settings: Settings) -> str:
    """Settings of the kubelet (JSON is YAML too).

    cgroupRoot: with the default, two kubelets would take each other's pods for leftovers.
    podPidsLimit: what stops a fork bomb; RLIMIT_NPROC would count one uid over all pods of the node.
    """
    pki = settings.pki_dir
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup(settings)}",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "clusterDNS": [DNS_SERVICE_IP],
        "clusterDomain": "cluster.local",
        "resolvConf": str(settings.etc_dir / "resolv.conf"),
        "tlsCertFile": str(pki / "node.crt"),
        "tlsPrivateKeyFile": str(pki / "node.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "podPidsLimit": POD_PIDS_LIMIT,
        "serializeImagePulls": False,
        "volumePluginDir": str(settings.volatile_dir / "volume-plugins"),
    }
    return json.dumps(config, indent=2) + "\n"


def resolv_conf() -> str:
    """The resolver of the node, and of pods that ask for the node's (CoreDNS does)."""
    return f"nameserver {UPSTREAM_DNS}\n"


def cgroup(settings: Settings) -> str:
    """Name of the control group that holds all pods of this cluster, on every hierarchy."""
    return f"terminal-operator-{settings.name}"
