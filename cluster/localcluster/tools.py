"""The programs of the native node: what they are built from, where they are, and whether all are there.

Their folder is named after what it was made of: module files, our two small programs, flags, architecture
(the go.mod names the Go version). `toolbuild` makes it.
"""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcluster import files
from localcluster.errors import ClusterError
from localcluster.settings import CLUSTER_DIR

if TYPE_CHECKING:
    from pathlib import Path

    from localcluster.settings import Settings

MODULE = CLUSTER_DIR / "tools"
_RUNC = "github.com/opencontainers/runc"
_OWN = ("./pause", "./volumes")
RENAMED = {"server": "etcd"}


@dataclass(frozen=True)
class Tools:
    """A finished folder of programs."""

    root: Path

    @property
    def bin(self) -> Path:
        """Programs."""
        return self.root / "bin"

    @property
    def cni(self) -> Path:
        """Plugins that containerd runs to give a pod its network."""
        return self.root / "cni"

    @property
    def gateway_api(self) -> Path:
        """Definitions of the Gateway API's resources, as its module ships them."""
        return self.root / "gateway-api"

    def program(self, name: str) -> str:
        """Path of a program."""
        return str(self.bin / name)


@dataclass(frozen=True)
class Part:
    """Packages built by one `go build`."""

    title: str
    packages: tuple[str, ...]
    flags: tuple[str, ...]
    cgo: str = "0"


def tool_packages(go_mod: str) -> list[str]:
    """The packages of a go.mod's tool block."""
    block = re.search(r"^tool \(\n(.*?)^\)", go_mod, re.MULTILINE | re.DOTALL)
    return block[1].split() if block else []


def module_version(go_mod: str, module: str) -> str:
    """The version a go.mod pins for a module, as in v1.2.3."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError(f"cluster/tools/go.mod does not pin {module}.")
    return found[1]


def program_name(package: str) -> str:
    """What the program built from a package is called here."""
    parts = [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)]
    return RENAMED.get(parts[-1], parts[-1])


def is_cni_plugin(package: str) -> bool:
    """Whether a package goes to the folder of network plugins."""
    return package.startswith("github.com/containernetworking/plugins/")


def locate(settings: Settings) -> Tools:
    """Where the programs for the present go.mod are or will be."""
    return Tools(settings.cache / f"tools-{_key()}")


def missing(tools: Tools) -> list[str]:
    """Programs that are absent or cannot be run: what a half-built cache lacks."""
    packages = [package for part in parts() for package in part.packages]
    expected = [
        (tools.cni if is_cni_plugin(package) else tools.bin) / program_name(package) for package in packages
    ]
    absent = [path.name for path in expected if not (os.access(path, os.X_OK) and path.stat().st_size)]
    return absent + ([] if any(tools.gateway_api.glob("*.yaml")) else ["gateway-api"])


def parts() -> list[Part]:
    """Everything that is built, in the order it is built."""
    go_mod = (MODULE / "go.mod").read_text()
    packages = tool_packages(go_mod)
    version = module_version(go_mod, "k8s.io/kubernetes")
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamp = "k8s.io/component-base/version"
    stamped = f"-s -w -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    return [
        Part(
            "programs",
            (*(package for package in packages if package != _RUNC), *_OWN),
            ("-trimpath", "-tags", "no_btrfs", "-ldflags", stamped),
        ),
        Part("runc", (_RUNC,), ("-trimpath", "-tags", "seccomp", "-ldflags", "-s -w"), cgo="1"),
    ]


def _key() -> str:
    flags = json.dumps([[part.packages, part.flags, part.cgo] for part in parts()])
    return files.content_key([platform.machine(), flags, *files.tree_parts(MODULE)])
