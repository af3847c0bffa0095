"""Turns fresh, empty namespaces into a node: its mounts, its network, its control group.

Runs as process 1 of them. What it mounts and configures is seen by nobody else and dies with it, which
is why every name here can be a constant. The one exception is the control group, which has no
namespace here: it carries the cluster's name and is removed by `remove_cgroups`.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import files, nodeconfig
from localcluster.addresses import NODE_IP, NODE_PREFIX

if TYPE_CHECKING:
    from localcluster.settings import Settings
    from localcluster.tools import Tools

_CGROUPS = Path("/sys/fs/cgroup")
_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/bridge/bridge-nf-call-iptables": "1",
}


def prepare(settings: Settings, tools: Tools) -> None:
    """Make everything the components expect to find."""
    socket.sethostname(settings.node_name)
    _mount_private_folders(settings)
    _write_configuration(settings, tools)
    _use_resolver(settings)
    _configure_network()
    for hierarchy in cgroup_hierarchies():
        (hierarchy / nodeconfig.cgroup(settings)).mkdir(exist_ok=True)


def cgroup_hierarchies(root: Path = _CGROUPS) -> list[Path]:
    """Roots under which control groups are made: one in version 2, one per controller in version 1."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.is_symlink()]


def remove_cgroups(settings: Settings) -> None:
    """Remove the cluster's control groups, innermost first; those still in use stay."""
    for hierarchy in cgroup_hierarchies():
        top = hierarchy / nodeconfig.cgroup(settings)
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue


def _mount_private_folders(settings: Settings) -> None:
    """Give the node folders of its own where its programs insist on constant paths.

    The cache is opened beforehand and mounted again, in case it lies below one of them.
    """
    _run("mount", "--make-rshared", "/")
    cache = os.open(settings.cache, os.O_PATH)
    volumes = settings.volatile_dir / "volumes"
    pod_logs = settings.volatile_dir / "pod-logs"
    for folder in (volumes, pod_logs):
        folder.mkdir(parents=True, exist_ok=True)
    for hidden in ("/run", "/var/lib"):
        _run("mount", "-t", "tmpfs", "tmpfs", hidden)
    _run("mount", "--bind", str(pod_logs), "/var/log")
    if not settings.cache.exists():
        settings.cache.mkdir(parents=True)
        _run("mount", "--bind", f"/proc/1/fd/{cache}", str(settings.cache))
    os.close(cache)
    Path(nodeconfig.VOLUMES).mkdir()
    _run("mount", "--bind", str(volumes), nodeconfig.VOLUMES)
    _name_network()


def _name_network() -> None:
    """Give the network a file that pasta may open: by then it has dropped the right to open /proc/1/ns."""
    name = Path(nodeconfig.NETWORK)
    name.parent.mkdir()
    name.touch()
    _run("mount", "--bind", "/proc/self/ns/net", str(name))


def _write_configuration(settings: Settings, tools: Tools) -> None:
    etc = settings.etc_dir
    files.write(etc / "containerd.toml", nodeconfig.containerd(settings, tools))
    files.write(etc / "containerd-images-only.toml", nodeconfig.containerd(settings, tools, cri=False))
    files.write(etc / "cni" / "10-pods.conflist", nodeconfig.pod_network())
    files.write(etc / "kubelet.json", nodeconfig.kubelet(settings))
    files.write(etc / "resolv.conf", nodeconfig.resolv_conf())


def _use_resolver(settings: Settings) -> None:
    """Point the node's programs to its own resolver; the file may be a link into the hidden /run."""
    target = Path(os.path.realpath("/etc/resolv.conf"))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _run("mount", "--bind", str(settings.etc_dir / "resolv.conf"), str(target))


def _configure_network() -> None:
    """The node's address sits on a bridge: some kernels have no dummy device."""
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "node0", "type", "bridge")
    _run("ip", "address", "add", f"{NODE_IP}/{NODE_PREFIX}", "dev", "node0")
    _run("ip", "link", "set", "node0", "up")
    for name, value in _SYSCTLS.items():
        (Path("/proc/sys") / name).write_text(value)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
