"""Settings: what is misspelt is named, what makes no sense is refused, and without a file all is said."""

from pathlib import Path
from typing import Any

import pytest
from terminal_operator.__main__ import main
from terminal_operator.settings import Settings, load_settings


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    assert load_settings(None) == Settings() == load_settings(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("worker: 4", "worker"),
        ("routing: {baseURL: http://x}", "routing.baseURL"),
        ("routing: {gateway: {nam: x}}", "routing.gateway.nam"),
        ("network: {blockedCidrs: []}", "network.blockedCidrs"),
        ("workers: 0", "workers"),
        ("logLevel: loud", "logLevel"),
        ("resyncSeconds: 1", "resyncSeconds"),
        ("routing: {type: Nginx}", "routing.type"),
        ("network: {blockedCIDRs: [10.0.0.1/8]}", "network.blockedCIDRs.0"),
        ("network: {blockedCIDRs: [ten]}", "network.blockedCIDRs.0"),
    ],
)
def test_a_setting_that_is_unknown_or_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ValueError, match=rf"(?m)^{named}$"):
        load_settings(written(tmp_path, text))


@pytest.mark.parametrize("text", ["a: [", "- 1", "text"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"settings.yaml is not YAML|valid dictionary"):
        load_settings(written(tmp_path, text))


def routing(**values: Any) -> Settings:
    return Settings.model_validate({"routing": values})


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://Terminals.Example.com/", "https://terminals.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_a_base_url_is_scheme_host_and_port(url: str, kept: str) -> None:
    assert routing(baseUrl=url).routing.base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "terminals.example.com",
        "ftp://example.com",
        "https://",
        "https://example.com/shells",
        "https://example.com?a=b",
        "https://example.com#top",
        "https://me@example.com",
        "https://:pw@example.com",
        "https://example.com?",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:99999",
        "https://example.com:port",
    ],
)
def test_a_base_url_with_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"routing.baseUrl"):
        routing(baseUrl=url)


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://example.com:8443", "example.com"), ("http://192.0.2.1", None), ("http://[2001:db8::1]", None)],
)
def test_a_route_can_name_a_host_and_no_address(url: str, host: str | None) -> None:
    assert routing(baseUrl=url).routing.host == host


@pytest.mark.parametrize("address", ["http://192.0.2.1:8080", "https://[2001:db8::1]"])
def test_an_address_has_no_subdomains_for_host_mode(address: str) -> None:
    with pytest.raises(ValueError, match="baseUrl must have a host name"):
        routing(mode="Host", baseUrl=address)


@pytest.mark.parametrize(
    "origin", ["chat.example.com", "https://a/b", "https://me:pw@a", "https://a?", "null", "*"]
)
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert routing(allowedOrigins=["https://Chat.example.com/"]).routing.allowed_origins == (
        "https://chat.example.com",
    )
    with pytest.raises(ValueError, match=r"routing.allowedOrigins.0"):
        routing(allowedOrigins=[origin])


@pytest.mark.parametrize("text", ["workers: many", "nobody: knows"])
def test_the_command_says_what_is_wrong_with_its_settings_and_ends(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", str(written(tmp_path, text))]) == 2
    assert text.split(":", maxsplit=1)[0] in capsys.readouterr().err


def test_the_command_says_which_file_it_cannot_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", "/nowhere/settings.yaml"]) == 2
    assert "/nowhere/settings.yaml" in capsys.readouterr().err
