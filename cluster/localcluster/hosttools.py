"""What the machine itself must have, by purpose, and one message that names the packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

NODE = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
    "iptables": "iptables",
    "ipset": "ipset",
    "nft": "nftables",
    "pasta": "passt",
    "openssl": "openssl",
}
TOOLS = {"gcc": "gcc", "pkg-config": "pkg-config"}
IMAGES = {"buildah": "buildah", "debootstrap": "debootstrap"}
LIBSECCOMP = "libseccomp-dev"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Any of these shows the tests' pages."""
KIND = {"kind": "kind", "kubectl": "kubectl", "helm": "helm", "docker": "docker"}
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def search_path(environ: Mapping[str, str] = os.environ) -> str:
    """PATH with the folders that hold root's programs, which a login shell may leave out."""
    return f"{environ.get('PATH', '/usr/local/bin:/usr/bin:/bin')}:{SYSTEM_PATH}"


def missing_packages(*groups: Mapping[str, str]) -> list[str]:
    """Debian packages (in order, once each) of the commands that are not there."""
    wanted = {command: package for group in groups for command, package in group.items()}
    path = search_path()
    packages = [package for command, package in wanted.items() if not shutil.which(command, path=path)]
    if "pkg-config" in wanted and not _has_libseccomp():
        packages.append(LIBSECCOMP)
    return list(dict.fromkeys(packages))


def require(purpose: str, *groups: Mapping[str, str]) -> None:
    """Raise one message that names every package missing for a purpose."""
    if packages := missing_packages(*groups):
        raise ClusterError(
            f"{purpose} needs programs that this machine lacks. `make setup` installs them"
            f" (Debian, as root), or do it yourself:\n  apt-get install {' '.join(packages)}"
        )


def require_kind() -> None:
    """The same for the kind backend, whose programs Debian does not package."""
    if absent := [command for command in KIND if not shutil.which(command)]:
        raise ClusterError(
            f"A Docker engine answers, so the cluster is made with kind; missing: {', '.join(absent)}.\n"
            "Install them from kind.sigs.k8s.io, kubernetes.io/docs/tasks/tools and helm.sh,"
            " or choose CLUSTER_BACKEND=native."
        )


def docker_answers() -> bool:
    """Whether a Docker engine can be used."""
    if not shutil.which("docker"):
        return False
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _has_libseccomp() -> bool:
    if not shutil.which("pkg-config"):
        return False
    return subprocess.run(["pkg-config", "--exists", "libseccomp"], check=False).returncode == 0
