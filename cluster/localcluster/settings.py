"""Everything a caller may choose, read once from the environment, and every path derived from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]
CLUSTER_DIR = REPOSITORY / "cluster"
BACKENDS = ("auto", "kind", "native")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One cluster: its name, its two loopback ports, and where its files are."""

    name: str = "terminals"
    backend: str = "auto"
    api_port: int = 6443
    http_port: int = 8080
    cache: Path
    keep_go_cache: bool = False
    go_cache_from_env: bool = False
    debian_mirror: str = ""

    @property
    def node_name(self) -> str:
        """The same on both backends: kind derives it this way."""
        return f"{self.name}-control-plane"

    @property
    def cluster_dir(self) -> Path:
        """All files of this one cluster."""
        return self.cache / "clusters" / self.name

    @property
    def volatile_dir(self) -> Path:
        """What belongs to one run of the node only: emptied by the next `up`."""
        return self.cluster_dir / "volatile"

    @property
    def containerd_dir(self) -> Path:
        """The node's image store, kept between runs."""
        return self.cluster_dir / "containerd"

    @property
    def pki_dir(self) -> Path:
        """Certificates, keys and the components' kubeconfigs."""
        return self.cluster_dir / "pki"

    @property
    def logs_dir(self) -> Path:
        """One log per component, of the present or the last run."""
        return self.cluster_dir / "logs"

    @property
    def etc_dir(self) -> Path:
        """Configuration files of the components."""
        return self.volatile_dir / "etc"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig for use on this machine."""
        return self.cluster_dir / "kubeconfig"

    @property
    def images_dir(self) -> Path:
        """Built images as archives, by name and content key."""
        return self.cache / "images"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Read the settings, or say which one makes no sense."""
    name = environ.get("CLUSTER_NAME") or Settings.name
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"CLUSTER_NAME={name!r}: at most 30 lower-case letters, digits and dashes, a letter first."
        )
    backend = environ.get("CLUSTER_BACKEND") or Settings.backend
    if backend not in BACKENDS:
        raise ClusterError(f"CLUSTER_BACKEND={backend!r}: one of {', '.join(BACKENDS)}.")
    api_port = _port(environ, "CLUSTER_API_PORT", Settings.api_port)
    http_port = _port(environ, "CLUSTER_HTTP_PORT", Settings.http_port)
    if api_port == http_port:
        raise ClusterError(f"CLUSTER_API_PORT and CLUSTER_HTTP_PORT are both {api_port}.")
    return Settings(
        name=name,
        backend=backend,
        api_port=api_port,
        http_port=http_port,
        cache=_cache(environ),
        keep_go_cache=_flag(environ, "CLUSTER_KEEP_GO_CACHE"),
        go_cache_from_env=_flag(environ, "CLUSTER_GO_CACHE_FROM_ENV"),
        debian_mirror=environ.get("CLUSTER_DEBIAN_MIRROR", ""),
    )


def _cache(environ: Mapping[str, str]) -> Path:
    if chosen := environ.get("TERMINAL_OPERATOR_CACHE"):
        return Path(chosen).absolute()
    if base := environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "terminal-operator"
    return Path(environ.get("HOME") or Path.home()) / ".cache" / "terminal-operator"


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise ClusterError(f"{variable}={text!r}: a port between 1 and {_HIGHEST_PORT}.")
    return int(text)


def _flag(environ: Mapping[str, str], variable: str) -> bool:
    text = environ.get(variable, "")
    if text not in {"", "0", "1"}:
        raise ClusterError(f"{variable}={text!r}: 1 or 0.")
    return text == "1"
