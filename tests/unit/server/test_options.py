"""The settings, where they come from, and the command line made of them."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from terminal_server import options
from terminal_server.open_terminal import ALIASES
from terminal_server.open_terminal import PREFIX as OPEN_PREFIX
from terminal_server.settings import PREFIX, Settings, from_environment, unknown_variables

DIFFERENT = {
    "cwd": "/",
    "execute_contract": "1",
    "log_format": "json",
    "log_level": "error",
    "public_url": "https://h/p",
}


def _another(name: str) -> str:
    """A value of a setting that is not its default."""
    if name in DIFFERENT:
        return DIFFERENT[name]
    default = Settings.model_fields[name].default
    if isinstance(default, bool):
        return str(not default)
    return str(int(default) + 7) if isinstance(default, int | float) else "/other"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_a_variable_and_an_option_and_the_option_wins(name: str) -> None:
    value = _another(name)
    default = getattr(from_environment({}, {}), name)
    by_variable = getattr(from_environment({PREFIX + name.upper(): value}, {}), name)
    option = options.given(["run", "--" + name.replace("_", "-"), value])
    by_option = getattr(from_environment({PREFIX + name.upper(): "nonsense"}, option), name)
    assert by_variable == by_option != default


@pytest.mark.parametrize(("name", "variable"), ALIASES.items())
def test_the_variables_of_open_terminal_are_understood_and_our_own_win(name: str, variable: str) -> None:
    value = _another(name)
    by_theirs = getattr(from_environment({OPEN_PREFIX + variable: value}, {}), name)
    assert by_theirs == getattr(from_environment({PREFIX + name.upper(): value}, {}), name)
    both = {OPEN_PREFIX + variable: "nonsense", PREFIX + name.upper(): value}
    assert getattr(from_environment(both, {}), name) == by_theirs


def test_a_longer_wait_than_there_is_becomes_the_longest_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert from_environment({OPEN_PREFIX + "EXECUTE_TIMEOUT": "300"}, {}).execute_wait_seconds == 300
    assert not caplog.records
    for value in ("600", "inf"):
        assert from_environment({OPEN_PREFIX + "EXECUTE_TIMEOUT": value}, {}).execute_wait_seconds == 300
        assert f"OPEN_TERMINAL_EXECUTE_TIMEOUT: {value}" in caplog.text
    for name, value in (
        (PREFIX + "EXECUTE_WAIT_SECONDS", "600"),
        (OPEN_PREFIX + "EXECUTE_TIMEOUT", "soon"),
        (OPEN_PREFIX + "EXECUTE_TIMEOUT", "nan"),
    ):
        with pytest.raises(ValidationError):
            from_environment({name: value}, {})


@pytest.mark.parametrize("name", ["enable_terminal", "enable_notebooks", "enable_system_prompt"])
def test_flags_of_open_terminal_are_off_by_its_three_words_for_it_only(name: str) -> None:
    def read(value: str) -> bool:
        return bool(getattr(from_environment({OPEN_PREFIX + ALIASES[name]: value}, {}), name))

    assert [value for value in ("False", "0", "no", " no\n") if read(value)] == []
    assert [value for value in ("True", "1", "enabled", "off", "none") if not read(value)] == []
    with pytest.raises(ValidationError):
        from_environment({PREFIX + name.upper(): "enabled"}, {})


def test_the_options_of_open_terminal_are_understood() -> None:
    given = options.given(["run", "--cors-allowed-origins", "https://a,https://b"])
    assert from_environment({}, given).cors_origins == ("https://a", "https://b")


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_only_a_folder_can_be_where_commands_start(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValidationError):
        from_environment({}, options.given(["run", "--cwd", str(tmp_path / place)]))


def test_an_empty_variable_is_none() -> None:
    assert from_environment({PREFIX + "PORT": ""}, {}) == from_environment({}, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "http"), ("port", "0"), ("idle_seconds", "-1"), ("public_url", "host"), ("log_level", "loud")],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_environment({PREFIX + name.upper(): value}, {})
    assert caught.value.errors()[0]["loc"] == (name,)


def test_a_variable_that_looks_like_a_setting_and_is_none_is_noticed() -> None:
    environment = {PREFIX + "PRT": "1", OPEN_PREFIX + "USER_PREFIX": "u", PREFIX + "PORT": "1", "HOME": "/"}
    environment |= {OPEN_PREFIX + "API_KEY": "k", OPEN_PREFIX + "MULTI_USER": "false"}
    assert unknown_variables(environment) == [OPEN_PREFIX + "USER_PREFIX", PREFIX + "PRT"]


def test_help_tells_of_every_setting_its_variables_and_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.given(["run", "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, field in Settings.model_fields.items():
        assert field.description is not None
        assert "--" + name.replace("_", "-") in text
        assert PREFIX + name.upper() in text
        assert " ".join(field.description.split())[:40] in text.replace("- ", "-")
    assert "[TERMINAL_SERVER_PORT] (default 8000)" in text
    assert OPEN_PREFIX + "EXECUTE_TIMEOUT" in text


def test_an_option_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options.given(["run", "--idle-second", "5"])
    assert ended.value.code == 2
    assert "--idle-second" in capsys.readouterr().err


def test_paths_are_paths(tmp_path: Path) -> None:
    assert from_environment({PREFIX + "DATA_DIR": str(tmp_path)}, {}).command_logs == tmp_path / "commands"
