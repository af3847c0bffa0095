"""Settings and what comes of them."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from terminal_server.environment import for_commands, furnish
from terminal_server.secrecy import without_key, without_values
from terminal_server.settings import from_environment, unknown_variables


def test_what_is_given_wins_over_the_environment_and_an_empty_variable_is_none() -> None:
    environment = {
        "TERMINAL_SERVER_PORT": "9000",
        "TERMINAL_SERVER_HOST": "::1",
        "TERMINAL_SERVER_PUBLIC_URL": "",
    }
    settings = from_environment(environment, {"port": 9001})
    assert (settings.port, settings.host, settings.base_url) == (9001, "::1", "http://localhost:9001")


def test_the_path_of_the_public_url_is_the_prefix() -> None:
    settings = from_environment({"TERMINAL_SERVER_PUBLIC_URL": "https://x.example:8443/t/a/b/"}, {})
    assert (settings.base_url, settings.path_prefix) == ("https://x.example:8443/t/a/b", "/t/a/b")


@pytest.mark.parametrize(
    "environment",
    [
        {"TERMINAL_SERVER_PORT": "0"},
        {"TERMINAL_SERVER_PORT": "http"},
        {"TERMINAL_SERVER_PUBLIC_URL": "x.example"},
        {"TERMINAL_SERVER_PUBLIC_URL": "ftp://x.example"},
        {"TERMINAL_SERVER_PUBLIC_URL": "http://x.example/?a=b"},
        {"TERMINAL_SERVER_KILL_GRACE_SECONDS": "-1"},
    ],
)
def test_a_wrong_value_is_an_error(environment: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        from_environment(environment, {})


def test_a_misspelt_setting_is_noticed() -> None:
    assert unknown_variables({"TERMINAL_SERVER_PROT": "1", "TERMINAL_SERVER_PORT": "1", "PATH": ""}) == [
        "TERMINAL_SERVER_PROT"
    ]


def test_commands_inherit_everything_but_what_is_the_servers_own() -> None:
    settings = from_environment({}, {"home": Path("/home/user"), "shell": "/bin/sh"})
    environment = for_commands(
        {"A": "b", "TERMINAL_SERVER_X": "1", "OPEN_TERMINAL_X": "1", "HOME": "/x"}, settings
    )
    assert environment["A"] == "b"
    assert (environment["HOME"], environment["SHELL"], environment["LANG"]) == (
        "/home/user",
        "/bin/sh",
        "C.UTF-8",
    )
    assert not [name for name in environment if name.startswith(("TERMINAL_", "OPEN_"))]


def test_python_holds_back_nothing_it_prints_unless_it_is_told_to() -> None:
    settings = from_environment({}, {})
    assert for_commands({}, settings)["PYTHONUNBUFFERED"] == "1"
    assert for_commands({"PYTHONUNBUFFERED": ""}, settings)["PYTHONUNBUFFERED"] == ""


def test_the_key_is_taken_off_the_command_line_and_nothing_else() -> None:
    line = ["run", "--api-key", "k", "--port", "1", "--api-key=k", "--host", "h"]
    assert without_key(line) == ["run", "--port", "1", "--host", "h"]


def test_other_variables_that_hold_the_key_are_left_behind_as_well() -> None:
    environment = {"KEY": "secret", "MAKEFLAGS": " -- PORT=1 KEY=secret", "PATH": "/bin", "A": "secretive"}
    environment["OTHER"] = "another"
    assert without_values(environment, ["secret", "another"]) == {"PATH": "/bin", "A": "secretive"}


def test_a_new_home_is_furnished_and_a_lived_in_one_is_left_alone(tmp_path: Path) -> None:
    skeleton = tmp_path / "skel"
    skeleton.mkdir()
    (skeleton / ".profile").write_text("x")
    new = tmp_path / "new"
    (new / "lost+found").mkdir(parents=True)
    furnish(new, skeleton)
    assert (new / ".profile").read_text() == "x"
    lived_in = tmp_path / "old"
    lived_in.mkdir()
    (lived_in / "file").touch()
    furnish(lived_in, skeleton)
    assert not (lived_in / ".profile").exists()
    furnish(Path("/proc/nowhere"), skeleton)
