"""Missing programs of the machine are named once, by package."""

from pathlib import Path

import pytest
from localcluster import commands, hostsetup, hosttools
from localcluster.errors import ClusterError


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(hosttools, "SYSTEM_PATH", "/nowhere")


@pytest.mark.usefixtures("bare_machine")
def test_one_message_names_every_package_once() -> None:
    with pytest.raises(ClusterError) as raised:
        hosttools.require("The native cluster", hosttools.NODE, hosttools.TOOLS)
    message = str(raised.value)
    assert message.startswith("The native cluster needs")
    assert "make setup" in message
    packages = message.rpartition("apt-get install ")[2].split()
    assert {"passt", "nftables", "iproute2", "libseccomp-dev", "gcc"} <= set(packages)
    assert len(packages) == len(set(packages))


@pytest.mark.usefixtures("bare_machine")
def test_the_library_is_asked_for_only_by_who_builds() -> None:
    assert hosttools.LIBSECCOMP not in hosttools.missing_packages(hosttools.NODE)
    assert hosttools.LIBSECCOMP in hosttools.missing_packages(hosttools.TOOLS)


def test_a_machine_that_has_everything_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run", lambda *_, **__: pytest.fail("something was run"))
    hosttools.require("A shell", {"sh": "dash"})
    hostsetup.install([])


def test_programs_of_root_are_found_without_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nft").touch(mode=0o755)
    monkeypatch.setattr(hosttools, "SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert hosttools.missing_packages({"nft": "nftables"}) == []


@pytest.mark.usefixtures("bare_machine")
def test_where_nothing_can_be_installed_setup_says_what_is_missing() -> None:
    with pytest.raises(ClusterError, match="apt-get install passt"):
        hostsetup.install(["passt"])


def test_what_buildah_needs_besides_itself_is_installed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostsetup, "_NETAVARK", (tmp_path / "netavark",))
    assert "netavark" in hostsetup.wanted_packages(hosttools.IMAGES)
    assert "netavark" not in hostsetup.wanted_packages(hosttools.NODE)
    (tmp_path / "netavark").touch()
    assert "netavark" not in hostsetup.wanted_packages(hosttools.IMAGES)


@pytest.mark.usefixtures("bare_machine")
def test_a_browser_is_wanted_by_tests_where_there_is_none_by_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hostsetup.browser() == ["chromium"]
    (tmp_path / "google-chrome").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hostsetup.browser() == []
