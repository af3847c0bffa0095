"""Helm as the tests use it: the real program, run on the real chart."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "charts" / "terminal-operator"
RELEASE = "terminal-operator"

Manifest = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the message is what it wrote."""


@dataclass(frozen=True)
class Rendered:
    """The objects of one `helm template`."""

    text: str

    @property
    def objects(self) -> list[Manifest]:
        """Every object, in the order Helm gives them."""
        return [document for document in yaml.safe_load_all(self.text) if document]

    def all(self, kind: str) -> list[Manifest]:
        """Every object of a kind."""
        return [item for item in self.objects if item["kind"] == kind]

    def one(self, kind: str, name: str = RELEASE) -> Manifest:
        """Return the object of a kind and a name."""
        (item,) = (item for item in self.all(kind) if item["metadata"]["name"] == name)
        return item


@dataclass(frozen=True)
class Helm:
    """The helm program at a path."""

    program: str

    def run(self, *arguments: str) -> str:
        """Run helm and return what it printed.

        Raises:
            HelmError: it ended with another code than 0.
        """
        result = subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        if result.returncode:
            raise HelmError(result.stdout + result.stderr)
        return result.stdout

    def template(self, *arguments: str, release: str = RELEASE) -> Rendered:
        """Render the chart; `arguments` are helm's own, such as `--set`."""
        return Rendered(self.run("template", release, str(CHART), "--namespace", RELEASE, *arguments))

    def set(self, **values: str) -> Rendered:
        """Render the chart with values; `__` in a name stands for a dot."""
        return self.template(*(f"--set={name.replace('__', '.')}={value}" for name, value in values.items()))


def find_helm() -> Helm:
    """Find the helm of the development cluster's tools, or else the one on the PATH.

    Raises:
        HelmError: there is none.
    """
    search = os.pathsep.join([*_cluster_paths(), os.environ.get("PATH", "")])
    program = shutil.which("helm", path=search)
    if program is None:
        raise HelmError(
            "helm is neither among the tools of `cluster/cluster env` nor on the PATH: run `make setup`"
        )
    return Helm(program)


def _cluster_paths() -> list[str]:
    """Return the PATH that `cluster/cluster env` sets, where its tools are built."""
    program = REPOSITORY / "cluster" / "cluster"
    if not program.exists():
        return []
    result = subprocess.run([str(program), "env"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"^export PATH=[\"']?([^\"'\n]*)", result.stdout, re.MULTILINE)
    return found[1].split(os.pathsep) if found else []
