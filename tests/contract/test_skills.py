"""`GET /skills`: asked first in every chat, so it answers at once, whatever is in the home."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, connected, running, until

FOLDER = ".agents/skills"


def skill(home: Path, name: str, text: str, folder: str = FOLDER) -> Path:
    """Write a skill, and return its file."""
    file = home / folder / name / "SKILL.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, newline="")
    return file


def described(description: str, name: str | None = None) -> str:
    """The text of a skill."""
    named = f"name: {name}\n" if name else ""
    return f"---\n{named}description: {description}\n---\nDo it well.\n"


@pytest.fixture
def home(client: Client) -> Path:
    """The home, without any skills at first."""
    for name in (".agents", ".cptr", ".claude", ".codex"):
        shutil.rmtree(client.server.home / name, ignore_errors=True)
    return client.server.home


async def listed(client: Client) -> list[dict[str, Any]]:
    """The skills there are."""
    answer = await client.json("GET", "/skills")
    assert isinstance(answer, list)
    return answer


async def test_without_skill_folders_there_are_no_skills(client: Client, home: Path) -> None:
    assert not (home / ".agents").exists()
    assert await listed(client) == []


async def test_a_skill_is_listed_as_its_file_describes_it(client: Client, home: Path) -> None:
    file = skill(home, "pdf", described("Fill in forms.", "PDF tools"))
    assert await listed(client) == [
        {
            "id": "terminal:PDF%20tools",
            "name": "PDF tools",
            "description": "Fill in forms.",
            "location": str(file),
            "scope": "global",
        }
    ]


async def test_a_skill_without_a_name_has_that_of_its_folder(client: Client, home: Path) -> None:
    skill(home, "charts", described("Draw."))
    assert [one["name"] for one in await listed(client)] == ["charts"]


async def test_all_the_usual_folders_are_looked_at_and_the_first_of_a_name_counts(
    client: Client, home: Path
) -> None:
    for folder in (".codex", ".claude", ".cptr", ".agents"):
        skill(home, "same", described(f"From {folder}.", "same"), f"{folder}/skills")
        skill(home, f"of{folder}", described("Own.", folder), f"{folder}/skills")
    skills = await listed(client)
    assert [one["name"] for one in skills] == [".agents", "same", ".cptr", ".claude", ".codex"]
    assert skills[1]["description"] == "From .agents."


async def test_what_is_no_skill_is_passed_over(client: Client, home: Path) -> None:
    skill(home, "undescribed", "---\nname: x\n---\n")
    skill(home, "headless", "Just text.\n")
    skill(home, ".hidden", described("Hidden."))
    (home / FOLDER / "empty").mkdir()
    (home / FOLDER / "file").write_text("x")
    (home / FOLDER / "folder" / "SKILL.md").mkdir(parents=True)
    os.mkfifo(skill(home, "pipe", "").parent / "pipe")
    skill(home, "pipe", "").unlink()
    os.mkfifo(home / FOLDER / "pipe" / "SKILL.md")
    (home / FOLDER / "device").mkdir()
    (home / FOLDER / "device" / "SKILL.md").symlink_to("/dev/zero")
    (home / FOLDER / "loop").symlink_to("loop")
    skill(home, "good", described("Good."))
    assert [one["name"] for one in await listed(client)] == ["good"]


async def test_a_change_shows_at_once(client: Client, home: Path) -> None:
    file = skill(home, "one", described("First."))
    assert [one["description"] for one in await listed(client)] == ["First."]
    file.write_text(described("Other."))
    assert [one["description"] for one in await listed(client)] == ["Other."]
    file.unlink()
    assert await listed(client) == []


async def test_a_link_to_a_skill_counts(client: Client, home: Path, tmp_path: Path) -> None:
    skill(tmp_path, "shared", described("Shared."), ".")
    (home / FOLDER).mkdir(parents=True)
    (home / FOLDER / "linked").symlink_to(tmp_path / "shared")
    assert [one["name"] for one in await listed(client)] == ["linked"]


async def test_reading_a_skill_gives_what_it_says_and_its_files(client: Client, home: Path) -> None:
    file = skill(home, "pdf", described("Fill in forms.", "PDF tools"))
    (file.parent / "scripts" / "deep").mkdir(parents=True)
    (file.parent / "scripts" / "fill.py").write_text("")
    (file.parent / "scripts" / "deep" / "x.py").write_text("")
    (file.parent / "forms.md").write_text("")
    (file.parent / ".hidden").write_text("")
    (file.parent / "loop").symlink_to(file.parent)
    answer = await client.json("GET", "/skills/read", params={"name": "PDF tools"})
    assert answer == {
        **(await listed(client))[0],
        "content": "Do it well.",
        "resources": ["forms.md", "scripts/fill.py", "scripts/deep/x.py"],
    }


async def test_a_skill_with_thousands_of_files_names_some(client: Client, home: Path) -> None:
    file = skill(home, "big", described("Big."))
    for number in range(300):
        (file.parent / f"{number}.txt").write_text("")
    answer = await client.json("GET", "/skills/read?name=big")
    assert len(answer["resources"]) == 50


async def test_a_skill_that_is_not_there_is_a_404(client: Client) -> None:
    answer = await client.json("GET", "/skills/read?name=nobody", 404)
    assert answer == {"detail": "name: there is no such skill"}
    answer = await client.json("GET", "/skills/read", 422)
    assert answer["detail"][0]["loc"] == ["query", "name"]


async def test_a_huge_file_is_read_in_part(client: Client, home: Path) -> None:
    file = skill(home, "huge", described("Huge."))
    with file.open("ab") as opened:
        opened.truncate(10 * 1024**3)
    assert [one["name"] for one in await listed(client)] == ["huge"]
    answer = await client.json("GET", "/skills/read?name=huge")
    assert len(answer["content"]) <= 1024**2


async def test_skills_want_the_key(stranger: Client) -> None:
    await stranger.json("GET", "/skills", 401)
    await stranger.json("GET", "/skills/read?name=x", 401)


async def test_a_terminal_is_not_taken_for_a_gateway(client: Client, stranger: Client) -> None:
    await client.json("GET", "/api/v1/policies", 404)
    await stranger.json("GET", "/api/v1/policies", 401)


async def test_the_features_are_open_to_all(stranger: Client) -> None:
    async def are_all_there() -> bool:
        answer = await stranger.json("GET", "/api/config")
        return bool(answer == {"features": {"terminal": True, "notebooks": True, "system": True}})

    # On a busy machine it takes longer to find out whether there are kernels than an answer waits.
    await until(are_all_there, "there are kernels")


async def test_the_features_are_those_that_are_set(tmp_path: Path) -> None:
    with running(
        tmp_path,
        OPEN_TERMINAL_ENABLE_TERMINAL="false",
        OPEN_TERMINAL_ENABLE_NOTEBOOKS="false",
        OPEN_TERMINAL_ENABLE_SYSTEM_PROMPT="false",
    ) as server:
        async with connected(server) as client:
            answer = await client.json("GET", "/api/config")
            assert answer == {"features": {"terminal": False, "notebooks": False, "system": False}}
            await client.json("GET", "/system", 404)
            await client.json("GET", "/info", 404)


async def test_the_prompt_describes_the_system(client: Client, stranger: Client) -> None:
    prompt = (await client.json("GET", "/system"))["prompt"]
    user = (await client.execute("id -un"))["stdout"].strip()
    assert f"user '{user}'" in prompt
    assert str(client.server.home) in prompt
    await stranger.json("GET", "/system", 401)


async def test_the_prompt_can_be_set_with_variables(tmp_path: Path) -> None:
    text = "{{os}} {{ hostname }} {{user}} {{shell}} {{home}} {{python_version}} {{nothing}}"
    with running(tmp_path, OPEN_TERMINAL_SYSTEM_PROMPT=text, OPEN_TERMINAL_INFO="Be kind.") as server:
        async with connected(server) as client:
            prompt = (await client.json("GET", "/system"))["prompt"]
            expected = await client.execute(
                "echo $(uname -s) $(uname -n) $(id -un) $SHELL $HOME $(python3 --version | cut -d' ' -f2) {{nothing}}"
            )
            assert prompt == expected["stdout"].strip()
            assert await client.json("GET", "/info") == {"info": "Be kind."}
            document = await client.json("GET", "/openapi.json")
            assert document["paths"]["/info"]["get"]["operationId"] == "get_info"


async def test_without_information_there_is_none_to_ask_for(client: Client) -> None:
    await client.json("GET", "/info", 404)
    assert "/info" not in (await client.json("GET", "/openapi.json"))["paths"]
