"""What the terminal's images are made from, and what is said of them, fits together."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from localcluster import imagelist
from terminal_server.listening import DEFAULT_PORT
from terminal_server.secrecy import KEY_VARIABLES

from tests.e2e.kit.tools import TOOLS

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "terminal-image"
SLIM, FULL = (imagelist.find(name).name for name in ("terminal", "terminal-full"))


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (FOLDER / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stages(dockerfile: str) -> dict[str, list[str]]:
    """The instructions of every stage, comments left out, by the stage's name."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE))
    parts = re.split(r"^FROM \S+ AS (\w+)$", joined, flags=re.MULTILINE)
    return {name: text.split("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_one_base_is_enough_and_nothing_names_an_architecture(dockerfile: str) -> None:
    stages = set(re.findall(r" AS (\w+)$", dockerfile, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    assert bases - stages == {"${BASE_IMAGE}"}
    assert not re.search(r"amd64|arm64|x86_64|aarch64", dockerfile)


def test_everything_from_pip_is_locked(dockerfile: str) -> None:
    installs = re.findall(r"install[^&]*-r \S+requirements\.lock", dockerfile)
    assert len(installs) == 2
    assert all("--require-hashes" in each for each in installs)
    locked = (FOLDER / "full/requirements.lock").read_text(encoding="utf-8")
    assert "://" not in locked
    wanted = (FOLDER / "full/requirements.in").read_text(encoding="utf-8")
    for name in re.findall(r"^[\w-]+$", wanted, re.MULTILINE):
        assert re.search(rf"^{name}==\S+ \\\n    --hash=", locked, re.MULTILINE), name


def test_a_change_of_the_server_leaves_all_layers_but_its_own(stages: dict[str, list[str]]) -> None:
    for name in ("slim", "full"):
        instructions = [line for line in stages[name] if line]
        assert [line.split()[0] for line in instructions[-3:]] == ["COPY", "COPY", "USER"], name
        assert "--from=package" in instructions[-2]
    below = [*stages["shell"], *stages["programs"], *stages["workbench"]]
    assert not [line for line in below if "terminal_server" in line or "--from" in line]


def test_the_full_image_is_what_docker_builds_unless_told_otherwise(stages: dict[str, list[str]]) -> None:
    assert list(stages)[-1] == "full"


def test_the_documents_list_the_tools_that_are_tried() -> None:
    text = (REPOSITORY / "docs/image.md").read_text(encoding="utf-8")
    table = text.partition("## What is in the full image")[2].partition("##")[0]
    listed = [
        name for row in re.findall(r"^\| \w.*$", table, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)
    ]
    assert listed
    assert sorted(listed) == sorted(TOOLS)
    assert SLIM in text
    assert FULL in text


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file, with a key filled in as docker does."""
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(re.sub(r"\$\{OPEN_TERMINAL_API_KEY:\?[^}]*\}", "the-key", text))
    assert set(content["volumes"]) == {"home", "open-webui"}
    services: dict[str, Any] = content["services"]
    return services


def test_compose_runs_the_full_image_with_the_home_on_a_volume(services: dict[str, Any]) -> None:
    terminal = services["terminal"]
    assert terminal["image"] == FULL
    assert terminal["build"] == {"context": ".", "target": "full"}
    assert terminal["environment"] == {KEY_VARIABLES[0]: "the-key"}
    assert terminal["volumes"] == ["home:/home/user"]
    assert terminal["healthcheck"]["test"][-1] == f"http://localhost:{DEFAULT_PORT}/health"


def test_compose_connects_open_webui_to_the_terminal(services: dict[str, Any]) -> None:
    webui = services["open-webui"]
    assert re.fullmatch(r"ghcr\.io/open-webui/open-webui:v\d+\.\d+\.\d+", webui["image"])
    assert webui["depends_on"] == {"terminal": {"condition": "service_healthy"}}
    (connection,) = json.loads(webui["environment"]["TERMINAL_SERVER_CONNECTIONS"])
    assert (connection["auth_type"], connection["key"]) == ("bearer", "the-key")
    assert connection["enabled"]
    url = urlsplit(connection["url"])
    assert (url.hostname, url.port) == ("terminal", DEFAULT_PORT)
    assert "access_grants" not in connection["config"], "administrators only: it is one user for all"


def test_nothing_is_open_to_other_machines(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
