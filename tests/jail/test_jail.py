"""What the server is made to do in the jail stays there."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import KEY, Server
from tests.jail.jail import jailed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with jailed(tmp_path) as started:
        yield started


def _said(server: Server, command: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/execute", json.dumps({"command": command, "timeout": 5}), headers)
    answer = json.load(connection.getresponse())
    connection.close()
    return str(answer["stdout"])


def test_it_is_nobody_and_can_become_nobody_else(server: Server) -> None:
    assert _said(server, "id -u") == "65534\n"
    assert _said(server, "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status").split() == [
        "CapEff:",
        "0" * 16,
        "CapBnd:",
        "0" * 16,
        "NoNewPrivs:",
        "1",
    ]
    assert _said(server, "unshare --user --map-root-user id -u; sudo -n id -u; mount -t tmpfs x /tmp") == ""


def test_it_can_write_to_its_own_home_and_nowhere_on_this_machine(server: Server, tmp_path: Path) -> None:
    places = f"/ /usr /usr/local/bin /etc /var/tmp /root /work {Path.cwd()} {tmp_path} {tmp_path.parent}"
    script = f'for place in ~ /tmp /dev/shm {places}; do touch "$place/mark" && echo "$place"; done'
    own = [str(server.home), "/tmp", "/dev/shm"]  # noqa: S108 - not this machine's
    assert _said(server, script).split() == own
    assert not any((Path(place) / "mark").exists() for place in own)


def test_it_sees_no_process_and_no_device_of_this_machine(server: Server) -> None:
    pids = {int(word) for word in _said(server, "cd /proc; echo [0-9]*").split()}
    assert max(pids) < 100
    assert "sda" not in (devices := _said(server, "ls /dev").split())
    assert set(devices) == {"fd", "full", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero"}


def test_it_reaches_nothing_but_itself(server: Server) -> None:
    assert _said(server, "cat /proc/net/dev | tail -n +3 | cut -d: -f1").split() == ["lo"]
    with pytest.raises(OSError, match="unreachable"):
        socket.create_connection(("192.0.2.1", 80), 1)
