"""The OpenAPI document, the page that shows it, and docs/api.md."""

import json
import os
import platform
import re
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal_server.app import create_app
from terminal_server.auth import KeyRing
from terminal_server.settings import PREFIX, Settings

from tests.contract.running import KEY, Client, connected, running

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


async def test_it_is_plain_for_clients_that_know_no_references_and_no_alternatives(
    document: dict[str, Any],
) -> None:
    text = json.dumps(document)
    for word in ("$ref", "anyOf", "oneOf", "allOf"):
        assert f'"{word}"' not in text
    for name, operation in _operations(document).items():
        for parameter in operation.get("parameters", []):
            assert isinstance(parameter["schema"]["type"], str), (name, parameter)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["schema"]["type"] == "object", name


async def test_it_holds_what_is_meant_for_a_model_under_the_names_clients_know_and_nothing_else(
    document: dict[str, Any],
) -> None:
    assert set(_operations(document)) == {
        # Commands
        "run_command", "list_processes", "get_process_status", "send_process_input", "kill_process",
        # Files
        "list_files", "read_file", "display_file", "write_file", "replace_file_content",
        "grep_search", "glob_search", "search_files", "match_files",
        # The user's shell
        "read_user_terminal", "send_user_terminal_input",
    }  # fmt: skip


async def test_models_are_shown_uploads_and_links_by_contract_1_only(
    document: dict[str, Any], tmp_path: Path
) -> None:
    with running(tmp_path, TERMINAL_SERVER_EXECUTE_CONTRACT="1") as server:
        async with connected(server) as client:
            first = _operations(await client.json("GET", "/openapi.json"))
    added = {"upload_file", "create_upload_link", "get_file_link", "execute_execute_post"}
    assert first.keys() - _operations(document).keys() == added
    for name in ("upload_file", "create_upload_link"):
        folder = next(one for one in first[name]["parameters"] if one["name"] == "dir")
        assert folder["required"] is True
        assert "default" not in folder["schema"]
    assert "multipart/form-data" in first["upload_file"]["requestBody"]["content"]


async def test_everything_in_it_is_described_to_a_model(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        assert operation["description"], name
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (name, parameter["name"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for field, schema in content["schema"]["properties"].items():
                assert schema["description"], (name, field)


async def test_who_has_it_already_is_told_so(stranger: Client) -> None:
    async with stranger.request("GET", "/openapi.json") as first:
        tag = first.headers["ETag"]
    async with stranger.request("GET", "/openapi.json", headers={"If-None-Match": tag}) as second:
        assert (second.status, await second.read()) == (304, b"")
    async with stranger.request("GET", "/openapi.json", headers={"If-None-Match": '"other"'}) as third:
        assert (third.status, third.headers["ETag"]) == (200, tag)


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


async def test_the_document_says_that_a_key_is_wanted_and_not_where_when_that_is_not_known(
    document: dict[str, Any],
) -> None:
    # Behind a published port or from another machine, localhost is somebody else; test_links.py has a public URL.
    assert "servers" not in document
    assert document["security"] == [{"Key": []}]
    assert document["components"]["securitySchemes"]["Key"] == {"type": "http", "scheme": "bearer"}


async def test_there_is_a_page_that_shows_it_and_loads_nothing_from_elsewhere(stranger: Client) -> None:
    async with stranger.request("GET", "/docs") as response:
        assert response.content_type == "text/html"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        text = await response.text()
    # Relative, so that it is found with and without a prefix.
    assert 'fetch("openapi.json")' in text
    assert "://" not in text


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


SHOWN_OTHERWISE = {
    "/docs": "a page for people",
    "/files/tus/{upload_id}": "its address is what the call before it answers; the example uses that",
    "/info": "only there where it is set",
    "/mcp/": "the same as /mcp",
}


def _routes(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        if hasattr(route, "path"):
            yield route.path
        else:
            yield from _routes(route.original_router.routes)


def test_the_page_has_an_example_for_every_call() -> None:
    commands = "\n".join(command for command, _ in _examples())
    app = create_app(Settings(info="x"), keys=KeyRing([]), variables={})
    missing = set()
    for path in _routes(app.routes):
        pattern = re.sub(r"\\\{[^}]*\\\}", r"[^\\s?\"']+", re.escape(path))
        if not re.search(rf"\$URL{pattern}(?=[\s?\"']|$)", commands, re.MULTILINE):
            missing.add(path)
    assert missing == set(SHOWN_OTHERWISE)


def test_the_page_lists_every_setting_with_what_the_model_says_of_it() -> None:
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE))
    assert rows == {PREFIX + name.upper(): field.description for name, field in Settings.model_fields.items()}
