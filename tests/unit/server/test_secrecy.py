"""Where the key cannot be found any more."""

import json
import subprocess
import sys

import pytest
from terminal_server import secrecy

_KEY = "a-secret-that-must-not-be-found"
_LOOK = """
import json, os
from pathlib import Path
from terminal_server import secrecy

keys = secrecy.take_keys([])
print(json.dumps([keys, os.getpid(), dict(os.environ), Path("/proc/self/environ").read_bytes().decode()]))
"""


def _looked(**variables: str) -> tuple[list[str], bool, dict[str, str], str]:
    """The keys that a process took, whether it is the one started here, its variables, and what the kernel shows."""
    environment = {**variables, "OTHER": "kept", "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", _LOOK], env=environment, stdout=subprocess.PIPE) as process:
        keys, pid, left, shown = json.loads(process.communicate(timeout=20)[0])
    return keys, pid == process.pid, left, shown


@pytest.mark.parametrize("name", secrecy.KEY_VARIABLES)
def test_a_key_in_the_environment_is_overwritten_where_the_kernel_shows_it(name: str) -> None:
    keys, same, variables, shown = _looked(**{name: _KEY, "MAKEFLAGS": f" -- KEY={_KEY}"})
    assert (keys, same) == ([_KEY], True)
    assert _KEY not in shown
    assert "OTHER=kept" in shown
    assert secrecy.HANDOVER_VARIABLE not in shown, "it was not started again"
    assert variables["OTHER"] == "kept"
    assert not {name, "MAKEFLAGS"} & variables.keys()


def test_the_keys_of_both_names_are_taken_and_hidden_wherever_they_stand() -> None:
    ours, theirs = f"{_KEY}-ours", f"{_KEY}-theirs"
    for more in ({}, {"A": f"no-{ours}-of-mine"}):  # which has it start again
        keys, same, variables, shown = _looked(
            TERMINAL_SERVER_API_KEY=ours, OPEN_TERMINAL_API_KEY=theirs, A1=ours, A2=theirs, **more
        )
        assert (sorted(keys), same) == ([ours, theirs], True)
        assert f"={_KEY}" not in shown
        assert not {*secrecy.KEY_VARIABLES, "A1", "A2"} & variables.keys()


def test_a_key_that_is_given_twice_is_taken_once() -> None:
    keys, *_ = _looked(**dict.fromkeys(secrecy.KEY_VARIABLES, _KEY))
    assert keys == [_KEY]


def test_a_program_in_which_the_key_would_still_be_seen_is_started_again() -> None:
    keys, same, variables, shown = _looked(OPEN_TERMINAL_API_KEY=_KEY, A=f"no-{_KEY}-of-mine")
    assert (keys, same) == ([_KEY], True)
    assert secrecy.HANDOVER_VARIABLE in shown
    assert f"={_KEY}" not in shown
    assert variables["OTHER"] == "kept"
