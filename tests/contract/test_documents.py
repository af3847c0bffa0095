"""The OpenAPI document, the page that shows it, and docs/api.md."""

import os
import platform
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from terminal_server.settings import PREFIX, Settings

from tests.contract.running import KEY, Client

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
async def document(stranger: Client) -> dict[str, Any]:
    answer = await stranger.json("GET", "/openapi.json")
    assert isinstance(answer, dict)
    return answer


async def test_the_description_of_execute_tells_a_model_what_system_it_is(
    document: dict[str, Any], client: Client
) -> None:
    text = document["paths"]["/execute"]["post"]["description"]
    python = (await client.execute("python3 --version"))["stdout"].strip()
    user = (await client.execute("id -un"))["stdout"].strip()
    home = str(client.server.home)
    for fact in (
        platform.system(),
        platform.release(),
        socket.gethostname(),
        user,
        "/bin/bash",
        python,
        home,
    ):
        assert fact in text


async def test_operations_keep_the_names_clients_know(document: dict[str, Any]) -> None:
    names = {
        (method, path): operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert names == {
        ("get", "/health"): "health_health_get",
        ("post", "/execute"): "execute_execute_post",
        ("post", "/files/upload"): "upload_file_files_upload_post",
        ("post", "/files/upload/link"): "create_upload_link_files_upload_link_post",
        ("get", "/files/download/link"): "get_file_link_files_download_link_get",
    }


async def test_the_timeout_is_30_seconds_if_nothing_is_said(document: dict[str, Any]) -> None:
    command = document["components"]["schemas"]["Command"]
    assert command["properties"]["timeout"]["default"] == 30.0
    assert command["required"] == ["command"]


async def test_the_document_says_where_the_server_is_and_that_it_wants_a_key(
    document: dict[str, Any], client: Client
) -> None:
    assert document["servers"] == [{"url": f"http://localhost:{client.server.port}"}]
    assert document["paths"]["/execute"]["post"]["security"] == [{"Key": []}]
    assert document["components"]["securitySchemes"]["Key"] == {"type": "http", "scheme": "bearer"}
    assert "security" not in document["paths"]["/health"]["get"]


async def test_the_page_of_the_document_finds_it_with_and_without_a_prefix(stranger: Client) -> None:
    async with stranger.request("GET", "/docs") as response:
        assert response.content_type == "text/html"
        assert "url: 'openapi.json'" in await response.text()


def _examples() -> list[tuple[str, str]]:
    """Every fenced `sh` block of the page that calls the server, and what follows it as its answer."""
    return re.findall(r"```sh\n(.*?)```\n+```(?:json|text)\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize(("command", "answer"), _examples(), ids=lambda text: text.split("\n")[0][:60])
def test_the_examples_of_the_page_give_what_the_page_says(
    client: Client, command: str, answer: str, tmp_path: Path
) -> None:
    (tmp_path / "report.txt").write_text("four\n")
    environment = {"PATH": os.environ["PATH"], "URL": client.server.url, "KEY": KEY}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    pattern = re.escape(answer.strip()).replace(re.escape("…"), ".*?")
    pattern = pattern.replace(re.escape("/home/user"), re.escape(str(client.server.home)))
    assert re.fullmatch(pattern, ran.stdout.strip(), re.DOTALL), ran.stdout


def test_the_page_has_an_example_for_every_call() -> None:
    commands = "\n".join(command for command, _ in _examples())
    for call in (
        "/health",
        "/execute --json",
        "/execute?stream=true",
        "/files/upload?dir",
        "/files/upload/link",
        "/openapi.json",
    ):
        assert call in commands
    assert "/files/download/link" in commands


def test_the_page_lists_every_setting_with_what_the_model_says_of_it() -> None:
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE))
    assert rows == {PREFIX + name.upper(): field.description for name, field in Settings.model_fields.items()}
