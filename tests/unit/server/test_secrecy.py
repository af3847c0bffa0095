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

key = secrecy.take_key(None)
print(json.dumps([key, os.getpid(), dict(os.environ), Path("/proc/self/environ").read_bytes().decode()]))
"""


def _looked(**variables: str) -> tuple[str, bool, dict[str, str], str]:
    """The key that a process took, whether it is the one started here, its variables, and what the kernel shows."""
    environment = {**variables, "OTHER": "kept", "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", _LOOK], env=environment, stdout=subprocess.PIPE) as process:
        key, pid, left, shown = json.loads(process.communicate(timeout=20)[0])
    return key, pid == process.pid, left, shown


@pytest.mark.parametrize("name", secrecy.KEY_VARIABLES)
def test_a_key_in_the_environment_is_overwritten_where_the_kernel_shows_it(name: str) -> None:
    key, same, variables, shown = _looked(**{name: _KEY, "MAKEFLAGS": f" -- KEY={_KEY}"})
    assert (key, same) == (_KEY, True)
    assert _KEY not in shown
    assert "OTHER=kept" in shown
    assert secrecy.HANDOVER_VARIABLE not in shown, "it was not started again"
    assert variables["OTHER"] == "kept"
    assert not {name, "MAKEFLAGS"} & variables.keys()


def test_a_program_in_which_the_key_would_still_be_seen_is_started_again() -> None:
    key, same, variables, shown = _looked(OPEN_TERMINAL_API_KEY=_KEY, A=f"no-{_KEY}-of-mine")
    assert (key, same) == (_KEY, True)
    assert secrecy.HANDOVER_VARIABLE in shown
    assert f"={_KEY}" not in shown
    assert variables["OTHER"] == "kept"
