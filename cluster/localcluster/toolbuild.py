"""Builds every program of the native node from one pinned go.mod, once, into the cache.

The folder is renamed into place when it is whole. The Go caches of an interrupted build stay until a
build succeeds, so the next try continues where it stopped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from localcluster import files, golang, tools
from localcluster.errors import ClusterError
from localcluster.progress import step

if TYPE_CHECKING:
    from localcluster.progress import Step
    from localcluster.settings import Settings
    from localcluster.tools import Part, Tools

NEEDED_BYTES = 12 * 10**9
_GATEWAY_API = "sigs.k8s.io/gateway-api"
_ERROR_LINES = 30


def ensure(settings: Settings) -> Tools:
    """Return the programs, building them first if any is missing (about ten minutes, once)."""
    programs = tools.locate(settings)
    if not tools.missing(programs):
        return programs
    with files.exclusive(settings.cache / "tools.lock"):
        if tools.missing(programs):
            _build(settings, programs)
    return programs


def _build(settings: Settings, programs: Tools) -> None:
    started = time.monotonic()
    go = golang.find(settings.cache, tools.MODULE / "go.mod")
    environment = _environment(settings)
    _check_disk(settings)
    _say("Building the cluster's programs (once; about ten minutes on two cores):")
    with files.building(programs.root) as unfinished:
        for part in tools.parts():
            _build_part(go, part, environment, unfinished)
        _copy_gateway_api(go, environment, unfinished / "gateway-api")
        record = {"seconds": round(time.monotonic() - started), "go": _output([go, "version"], environment)}
        files.write(unfinished / "build.json", json.dumps(record, indent=2) + "\n")
    for other in settings.cache.glob("tools-*"):
        if other != programs.root and not _in_use(other):
            files.remove(other)
    if not (settings.go_cache_from_env or settings.keep_go_cache):
        with step("removing Go caches"):
            files.remove(settings.cache / "go-caches")
    _say(f"Built in {time.monotonic() - started:.0f} s: {programs.root}")


def _say(text: str) -> None:
    """To where the steps go, so that all of it comes in order."""
    print(text, file=sys.stderr)


def _in_use(root: Path) -> bool:
    """Whether a program of this folder is running (a cluster made from another checkout)."""
    for executable in Path("/proc").glob("[0-9]*/exe"):
        try:
            if executable.readlink().is_relative_to(root):
                return True
        except OSError:  # ended meanwhile, or not ours to look at
            continue
    return False


def _environment(settings: Settings) -> dict[str, str]:
    own = settings.cache / "go-caches"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false", "GOWORK": "off"}
    if not settings.go_cache_from_env:
        environment |= {"GOCACHE": str(own / "build"), "GOMODCACHE": str(own / "modules")}
    return environment


def _check_disk(settings: Settings) -> None:
    settings.cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.cache).free
    if free < NEEDED_BYTES and not settings.go_cache_from_env:
        raise ClusterError(
            f"Building the cluster's programs needs about {NEEDED_BYTES // 10**9} GB for a while;"
            f" {settings.cache} has {free / 10**9:.1f} GB free.\n"
            "Free some, or set TERMINAL_OPERATOR_CACHE to a folder on a larger disk."
        )


def _build_part(go: str, part: Part, environment: dict[str, str], unfinished: Path) -> None:
    environment = {**environment, "CGO_ENABLED": part.cgo}
    with step(f"{part.title}: modules") as current:
        listing = [go, "list", "-deps", *part.flags, *part.packages]
        packages = len(_watch(listing, environment, current, _Downloads()))
    staging = unfinished / "staging"
    staging.mkdir()
    with step(f"{part.title}: building") as current:
        watcher = _Compilation(packages, len(part.packages), staging)
        command = [go, "build", "-v", *part.flags, "-o", f"{staging}/", *part.packages]
        _watch(command, environment, current, watcher)
    plugins = {tools.program_name(package) for package in part.packages if tools.is_cni_plugin(package)}
    for program in staging.iterdir():
        name = tools.RENAMED.get(program.name, program.name)
        target = unfinished / ("cni" if name in plugins else "bin") / name
        target.parent.mkdir(exist_ok=True)
        program.rename(target)
    staging.rmdir()


class _Downloads:
    """Reads what `go list` says: one line for each module that is fetched."""

    def __init__(self) -> None:
        self.count = 0

    def see(self, line: str) -> str:
        self.count += line.startswith("go: downloading ")
        return f"{self.count} fetched" if self.count else ""


class _Compilation:
    """Reads what `go build -v` says: one line for each package as its turn comes."""

    def __init__(self, packages: int, programs: int, output: Path) -> None:
        self.packages = packages
        self.programs = programs
        self.output = output
        self.count = 0

    def see(self, line: str) -> str:
        if line and not line.startswith(("go: ", "#", " ", "\t")):
            self.count += 1
        linked = sum(1 for _ in self.output.iterdir())
        return f"{self.count}/{self.packages} packages, {linked}/{self.programs} programs, {line}"


def _watch(
    command: list[str],
    environment: dict[str, str],
    current: Step,
    watcher: _Downloads | _Compilation,
) -> list[str]:
    """Run a Go command, show how far it is, return its output's lines."""
    recent: list[str] = []
    with subprocess.Popen(
        command,
        cwd=tools.MODULE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        if process.stdout is None:
            raise AssertionError("a pipe was asked for")
        lines: list[str] = []
        for line in map(str.rstrip, process.stdout):
            current.detail = watcher.see(line)
            (recent if line.startswith(("#", "go: ")) else lines).append(line)
    if process.returncode:
        told = "\n".join([*recent, *lines][-_ERROR_LINES:])
        raise ClusterError(f"{' '.join(command[:3])} failed:\n{told}")
    return lines


def _output(command: list[str], environment: dict[str, str], folder: Path = tools.MODULE) -> str:
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed:\n{answer.stderr.strip()}")
    return answer.stdout.strip()


def _copy_gateway_api(go: str, environment: dict[str, str], target: Path) -> None:
    """Take the Gateway API's definitions from its module: the same version Traefik was built with."""
    folder = _output([go, "mod", "download", "-json", _GATEWAY_API], environment)
    shutil.copytree(Path(json.loads(folder)["Dir"]) / "config/crd/standard", target)
    for copied in (target, *target.iterdir()):
        copied.chmod(0o755 if copied.is_dir() else 0o644)
