"""What is told of the server's work: log lines, request ids, metrics."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, Server, connected, free_port, running, until


def _lines(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.logged().splitlines()]


async def test_log_lines_can_be_json_and_name_their_request(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_LOG_FORMAT="json") as server:
        async with (
            connected(server) as client,
            client.request(
                "GET", "/activity?x=SECRET", headers={"X-Request-Id": "from-the-proxy"}
            ) as response,
        ):
            assert response.headers["X-Request-Id"] == "from-the-proxy"
        await until(lambda: "/activity" in server.logged(), "the request was logged")
        (line,) = [line for line in _lines(server) if line.get("path") == "/activity"]
        assert line["logger"] == "terminal_server.access"
        assert line["level"] == "INFO"
        assert line["request_id"] == "from-the-proxy"
        assert (line["method"], line["status"]) == ("GET", 200)
        assert line["duration_ms"] >= 0
        assert "SECRET" not in server.logged()


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a/../b", "<script>"])
async def test_an_id_that_is_no_plain_word_is_replaced(client: Client, given: str) -> None:
    async with client.request("GET", "/activity", headers={"X-Request-Id": given}) as response:
        assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-Id"])


async def test_refused_requests_have_an_id_too(stranger: Client) -> None:
    async with stranger.request("GET", "/activity") as response:
        assert (response.status, bool(response.headers["X-Request-Id"])) == (401, True)


async def test_only_what_matters_is_logged_if_that_is_wanted(tmp_path: Path) -> None:
    with running(tmp_path, "--log-level", "error") as server:
        async with connected(server) as client:
            await client.json("GET", "/activity")
        assert server.logged() == ""


async def test_metrics_are_on_a_port_of_their_own_and_their_labels_are_bounded(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "--metrics-port", str(port)) as server:
        async with connected(server) as client:
            for path in ("/activity", "/no/such/place", "/files/upload/TOKEN"):
                async with client.request("GET", path) as response:
                    await response.read()
            async with client.request("GET", "/metrics") as response:
                assert response.status == 404
            async with client.session.get(f"http://127.0.0.1:{port}/metrics") as response:
                assert response.status == 200
                text = await response.text()
    assert 'terminal_server_requests_total{method="GET",route="/activity",status="200"} 1.0' in text
    assert 'route="none",status="404"' in text
    assert 'route="/files/upload/{token}"' in text
    assert "terminal_server_quiet_seconds" in text
    assert "process_resident_memory_bytes" in text
    assert "TOKEN" not in text
    assert "such" not in text


def test_there_are_none_if_they_are_not_wanted(server: Server) -> None:
    ports = Path(f"/proc/{server.process.pid}/net/tcp").read_text()
    inodes = set(re.findall(r": \S+ \S+ 0A (?:\S+ +){5}(\d+)", ports))
    own: set[str] = set()
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            own |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    assert len(inodes & own) == 1
