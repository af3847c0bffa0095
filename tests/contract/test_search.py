"""`/files/grep`, `/files/glob`, `/files/search` and `/files/matches`: bounded in every way, and never in the way."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.running import Client, Server, children, connected, running, until

CALLS = {
    "/files/grep": {"query": "needle"},
    "/files/glob": {"pattern": "*"},
    "/files/search": {"query": "needle"},
    "/files/matches": {"query": "needle"},
}


@pytest.fixture
def place(client: Client) -> Iterator[Path]:
    """A folder in the home for the files of one test."""
    folder = client.server.home / "place"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def write(folder: Path, **files: str | bytes) -> None:
    """Write files; two underscores stand for a slash, and one before a type for a dot."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


async def grep(client: Client, query: str, **parameters: Any) -> dict[str, Any]:
    """Find lines in the folder of the test."""
    answer = await client.json("GET", "/files/grep", params={"path": "place", "query": query, **parameters})
    assert isinstance(answer, dict)
    return answer


async def lines(client: Client, query: str, **parameters: Any) -> list[str]:
    """The lines that are found, as grep would print them."""
    found = (await grep(client, query, **parameters))["matches"]
    return [f"{one['file'].split('/place/')[1]}:{one['line']}:{one['content']}" for one in found]


async def globbed(client: Client, pattern: str, **parameters: Any) -> list[str]:
    """The paths that are found."""
    params = {"path": "place", "pattern": pattern, **parameters}
    return [one["path"] for one in (await client.json("GET", "/files/glob", params=params))["matches"]]


async def ranked(client: Client, call: str, query: str, **parameters: Any) -> list[str]:
    """The names that are found, best first."""
    params = {"path": "place", "query": query, **parameters}
    return [one["name"] for one in (await client.json("GET", call, params=params))["results"]]


async def test_grep_tells_file_line_and_content(client: Client, place: Path) -> None:
    write(place, a_py="import os\nneedle here\n", b__c_txt="no\nno\n  a needle\n")
    assert await grep(client, "needle") == {
        "query": "needle",
        "path": str(place),
        "matches": [
            {"file": str(place / "a.py"), "line": 2, "content": "needle here"},
            {"file": str(place / "b/c.txt"), "line": 3, "content": "  a needle"},
        ],
        "truncated": False,
    }


async def test_a_relative_path_begins_at_the_sessions_directory(client: Client, place: Path) -> None:
    write(place, a="needle\n")
    answer = await client.json("GET", "/files/grep?query=needle&path=place/a")
    assert answer["matches"] == [{"file": str(place / "a"), "line": 1, "content": "needle"}]


async def test_what_is_near_comes_first_and_what_is_hidden_last(client: Client, place: Path) -> None:
    write(place, b="needle", a__z="needle", a__b__c="needle", Z="needle", _a="needle", _b__c="needle")
    (place / "a+").write_text("needle")
    found = ["Z", "a+", "b", ".a", "a/z", "a/b/c", ".b/c"]
    assert [line.split(":")[0] for line in await lines(client, "needle")] == found
    assert await globbed(client, "*") == ["Z", "a", "a+", "b", ".a", ".b", "a/b", "a/z", "a/b/c", ".b/c"]


async def test_the_logs_of_commands_are_seen_only_by_who_searches_there(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        (server.home / "link").symlink_to(server.home)
        (server.home / "file").write_text("needle")
        async with connected(server) as client:
            run = await client.json("POST", "/execute?wait=20", json={"command": "echo needle"})
            log = Path(run["log_path"])
            await until(log.exists, "the log was written")
            for path in (server.home, server.home / "link", "."):
                params = {"query": "needle", "path": str(path)}
                found = await client.json("GET", "/files/grep", params=params)
                assert [Path(one["file"]).name for one in found["matches"]] == ["file"]
            params = {"query": "needle", "path": str(log.parent)}
            found = await client.json("GET", "/files/grep", params=params)
            assert [Path(one["file"]).name for one in found["matches"]] == [log.name]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (r"x\d+", ["f:1:x12 (a.b)"]),
        (r"^y$", ["f:3:y"]),
        (r"(?<=\()a", ["f:1:x12 (a.b)"]),
        (r"(.)\1", ["f:4:zz"]),
        (r"X12|ZZ", []),
        ("ü", ["f:2:grün"]),
        (r"\bgr\w+n\b", ["f:2:grün"]),
        ("n\ny", []),
    ],
)
async def test_a_query_is_a_regular_expression_of_python_within_a_line(
    client: Client, place: Path, query: str, found: list[str]
) -> None:
    write(place, f="x12 (a.b)\ngrün\r\ny\r\nzz")
    assert await lines(client, query) == found


async def test_a_query_can_be_plain_text_and_of_any_case(client: Client, place: Path) -> None:
    write(place, f="x (a.b)\nX (A.B)\nGRÜN\n")
    assert await lines(client, "(a.b", regex="False") == ["f:1:x (a.b)"]
    assert await lines(client, "(a.b", regex="false", case_insensitive="true") == [
        "f:1:x (a.b)",
        "f:2:X (A.B)",
    ]
    assert await lines(client, "grün", case_insensitive="True") == ["f:3:GRÜN"]


@pytest.mark.parametrize("query", ["(", "[a", "*", "(?P<a", r"\8", "a{2,1}", "(" * 500])
async def test_what_is_no_regular_expression_is_refused_by_name(client: Client, query: str) -> None:
    answer = await client.json("GET", "/files/grep", 400, params={"query": query})
    assert answer["detail"].startswith("query: not a regular expression")


async def test_files_can_be_chosen(client: Client, place: Path) -> None:
    write(place, a_py="needle", a_ts="needle", a_tsx="needle", sub__b_py="needle", sub__c_md="needle")

    async def files(*include: str) -> list[str]:
        found = await client.json(
            "GET",
            "/files/grep",
            params=[("path", "place"), ("query", "needle"), *(("include", each) for each in include)],
        )
        return [one["file"].removeprefix(f"{place}/") for one in found["matches"]]

    assert await files("*.py") == ["a.py", "sub/b.py"]
    assert await files("*.py", "*.md") == ["a.py", "sub/b.py", "sub/c.md"]
    assert await files("*.py,*.md") == ["a.py", "sub/b.py", "sub/c.md"]
    assert await files('["*.py", "*.md"]') == ["a.py", "sub/b.py", "sub/c.md"]
    assert await files("*.{ts,tsx}, *.md") == ["a.ts", "a.tsx", "sub/c.md"]
    assert await files("sub/*") == ["sub/b.py", "sub/c.md"]
    assert await files("**/*.py") == ["a.py", "sub/b.py"]
    assert await files(f"{place}/sub/**") == ["sub/b.py", "sub/c.md"]
    assert await files("") == ["a.py", "a.ts", "a.tsx", "sub/b.py", "sub/c.md"]
    assert await files("[" * 5000, "*.md") == ["sub/c.md"]


async def test_only_the_names_of_files_can_be_asked_for(client: Client, place: Path) -> None:
    write(place, a="needle\nneedle\n", b="needle\n", c="no\n")
    answer = await grep(client, "needle", match_per_line="False")
    assert answer["matches"] == [{"file": str(place / "a")}, {"file": str(place / "b")}]


async def test_truncated_says_whether_there_is_more(client: Client, place: Path) -> None:
    write(place, a="needle\nneedle\n", b="needle\n")
    assert [(await grep(client, "needle", max_results=most))["truncated"] for most in (2, 3, 4)] == [
        True,
        False,
        False,
    ]
    assert len((await grep(client, "needle", max_results="2"))["matches"]) == 2


@pytest.mark.parametrize("most", ["0", "501", "-1", "many"])
async def test_a_number_of_results_that_is_none_is_refused_by_name(client: Client, most: str) -> None:
    for call in ("/files/grep?query=x", "/files/glob?pattern=x"):
        answer = await client.json("GET", f"{call}&max_results={most}", 422)
        assert answer["detail"][0]["loc"] == ["query", "max_results"]


async def test_long_lines_are_cut_around_the_match(client: Client, place: Path) -> None:
    write(place, a="x" * 3_000_000 + "needle" + "y" * 3_000_000 + "\nneedle", b="needle" + "z" * 1000)
    contents = [one["content"] for one in (await grep(client, "needle"))["matches"]]
    assert all(len(content) <= 502 for content in contents)
    assert contents[0].startswith("…x")
    assert "needle" in contents[0]
    assert contents[0].endswith("y…")
    assert contents[1] == "needle"
    assert contents[2].startswith("needlez")


async def test_the_whole_answer_is_bounded(client: Client, place: Path) -> None:
    write(place, a=("needle " + "ä" * 493 + "\n") * 500)
    answer = await grep(client, "needle", max_results=500)
    assert answer["truncated"] is True
    assert 200 <= len(answer["matches"]) < 500


async def test_binary_files_are_passed_over_and_old_encodings_understood(client: Client, place: Path) -> None:
    write(place, a=b"\0needle", b=b"needle \xe9\n", c="\ufeffneedle é", d="needle é".encode("utf-16"))
    write(place, e=b"\xff\xfe\xfd needle \x01")
    assert await lines(client, "needle .$") == ["b:1:needle é", "c:1:needle é", "d:1:needle é"]
    assert await lines(client, "^needle é") == ["b:1:needle é", "c:1:needle é", "d:1:needle é"]


async def test_hidden_and_ignored_files_are_searched_and_gits_own_are_not(
    client: Client, place: Path
) -> None:
    write(place, _env="needle", _github__x="needle", _git__config="needle", _gitignore="out\n", out="needle")
    assert await lines(client, "needle") == ["out:1:needle", ".env:1:needle", ".github/x:1:needle"]
    assert await globbed(client, "*", type="file") == ["out", ".env", ".gitignore", ".github/x"]
    assert len(await lines(client, "needle", path="place/.git")) == 1


async def test_pipes_devices_and_loops_stop_nothing(client: Client, place: Path) -> None:
    write(place, a="needle\n")
    os.mkfifo(place / "needle-pipe")
    (place / "needle-device").symlink_to("/dev/zero")
    (place / "needle-loop").symlink_to(place)
    (place / "needle-self").symlink_to("needle-self")
    assert await lines(client, "needle") == ["a:1:needle"]
    assert await globbed(client, "needle*") == ["needle-device", "needle-loop", "needle-pipe"]
    assert await globbed(client, "*", type="directory") == ["needle-loop"]
    names = ["needle-loop", "needle-pipe", "needle-device"]
    assert await ranked(client, "/files/search", "needle") == names
    assert set(await ranked(client, "/files/matches", "needle")) == {*names, "needle-self", "a"}


async def test_a_pipe_cannot_be_searched_itself(client: Client, place: Path) -> None:
    os.mkfifo(place / "pipe")
    answer = await client.json("GET", "/files/grep?query=x&path=place/pipe", 400)
    assert answer["detail"].startswith("path: ")


@pytest.mark.parametrize("call", CALLS)
async def test_a_place_that_is_not_there_is_a_404(client: Client, call: str) -> None:
    answer = await client.json("GET", call, 404, params={**CALLS[call], "path": "nowhere"})
    assert answer["detail"].startswith("path: ")
    answer = await client.json("GET", call, 422, params={**CALLS[call], "path": "a\0b"})


@pytest.mark.parametrize("call", ["/files/glob", "/files/search", "/files/matches"])
async def test_a_file_is_no_folder(client: Client, place: Path, call: str) -> None:
    write(place, a="x")
    await client.json("GET", call, 404, params={**CALLS[call], "path": "place/a"})


async def test_glob_tells_path_type_size_and_time(client: Client, place: Path) -> None:
    write(place, sub__a_py="four")
    answer = await client.json("GET", "/files/glob?path=place&pattern=*")
    times = [(place / name).stat().st_mtime for name in ("sub", "sub/a.py")]
    assert answer == {
        "pattern": "*",
        "path": str(place),
        "matches": [
            {
                "path": "sub",
                "type": "directory",
                "size": (place / "sub").stat().st_size,
                "modified": times[0],
            },
            {"path": "sub/a.py", "type": "file", "size": 4, "modified": times[1]},
        ],
        "truncated": False,
    }


async def test_glob_leaves_out_what_is_excluded_with_all_in_it(client: Client, place: Path) -> None:
    write(place, a_js="", node__modules__b_js="", deep__node__modules__c_js="", d_min_js="")
    assert await globbed(client, "*.js", exclude="node") == ["a.js", "d.min.js"]
    assert await globbed(client, "*.js", exclude="*.min.js,deep") == ["a.js", "node/modules/b.js"]
    assert await globbed(client, "**/modules/*.js") == ["deep/node/modules/c.js", "node/modules/b.js"]


async def test_the_kind_is_one_of_three(client: Client) -> None:
    for call in ("/files/glob?pattern=x", "/files/search?query=x"):
        answer = await client.json("GET", f"{call}&type=socket", 422)
        assert answer["detail"][0]["loc"] == ["query", "type"]
        await client.json("GET", f"{call}&type=null")


async def test_names_are_ranked(client: Client, place: Path) -> None:
    write(place, my_report_txt="", report="", reporting="", z__Report="", other="", report_txt="")
    names = ["report", "Report", "reporting", "report.txt", "my.report.txt"]
    assert await ranked(client, "/files/search", " Report ") == names
    assert await ranked(client, "/files/search", "report", limit=2) == names[:2]
    assert await ranked(client, "/files/search", "", type="directory") == ["z"]


async def test_hidden_and_ignored_files_are_not_ranked_unless_asked_for(client: Client, place: Path) -> None:
    write(place, _needle="", _hidden__needle="", repo___git__config="", repo___gitignore="/out\n*.tmp\n")
    write(place, repo__out__needle="", repo__sub__out__needle="needle", repo__needle_tmp="", repo__needle="")
    for call in ("/files/search", "/files/matches"):
        assert sorted(await ranked(client, call, "needle")) == ["needle", "needle"]
        hidden = await ranked(client, call, "needle", show_hidden="true")
        assert sorted(set(hidden)) == [".needle", "needle"]


async def test_matches_are_ranked_by_name_path_and_content(client: Client, place: Path) -> None:
    write(place, needle="", needles="", a_needle="", needle_d__x="", text="1\n😀 a Needle\nneedle\n", no="no")
    answer = await client.json("GET", "/files/matches", params={"path": "place", "query": "needle"})
    assert [one["relative_path"] for one in answer["results"]] == [
        "needle",
        "needles",
        "needle.d",
        "a.needle",
        "needle.d/x",
        "text",
    ]
    assert answer["next_offset"] is None
    assert answer["results"][-1] == {
        "path": str(place / "text"),
        "relative_path": "text",
        "name": "text",
        "type": "file",
        "name_match": False,
        "content_matches": [
            {"line": 2, "column": 6, "text": "😀 a Needle"},
            {"line": 3, "column": 1, "text": "needle"},
        ],
    }


async def test_a_file_shows_three_matches_at_most(client: Client, place: Path) -> None:
    write(place, text="needle\n" * 10)
    (found,) = (await client.json("GET", "/files/matches?path=place&query=needle"))["results"]
    assert [one["line"] for one in found["content_matches"]] == [1, 2, 3]


async def test_matches_come_in_pages(client: Client, place: Path) -> None:
    write(place, **{f"needle{number}": "" for number in range(10)})
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        params = {"path": "place", "query": "needle", "limit": 4, "offset": offset}
        answer = await client.json("GET", "/files/matches", params=params)
        seen += [one["name"] for one in answer["results"]]
        offset = answer["next_offset"]
    assert seen == [f"needle{number}" for number in range(10)]


async def test_a_query_for_matches_must_say_something(client: Client) -> None:
    for query in ("", "%20"):
        answer = await client.json("GET", f"/files/matches?query={query}", 400)
        assert answer == {"detail": "query: must not be blank"}


async def test_names_that_are_no_text_are_shown_all_the_same(client: Client, place: Path) -> None:
    (place / os.fsdecode(b"needle\xff")).write_text("needle\n")
    assert await lines(client, "needle") == ["needle\ufffd:1:needle"]
    assert await globbed(client, "needle*") == ["needle\ufffd"]
    assert await ranked(client, "/files/search", "needle") == ["needle\ufffd"]
    assert await ranked(client, "/files/matches", "needle") == ["needle\ufffd"]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that gives a search four seconds."""
    with running(tmp_path_factory.mktemp("hasty"), TERMINAL_SERVER_SEARCH_SECONDS="4") as server:
        yield server


async def test_an_evil_expression_ends_with_what_was_found_and_nobody_waits(hasty: Server) -> None:
    (hasty.home / "a").write_text("aaaaa\n")
    (hasty.home / "b").write_text("a" * 40 + "b\n")
    async with connected(hasty) as client:
        evil = [
            asyncio.create_task(client.json("GET", "/files/grep", params={"query": "(a+)+$"}))
            for _ in range(4)
        ]
        answered = 0
        while not any(task.done() for task in evil):
            assert await client.json("GET", "/health") == {"status": "ok"}
            answered += 1
            await asyncio.sleep(0.05)
        assert answered > 5
        for answer in await asyncio.gather(*evil):
            assert [one["content"] for one in answer["matches"]] == ["aaaaa"]
            assert answer["truncated"] is True


async def test_a_search_whose_client_goes_is_ended(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_SEARCH_SECONDS="300") as server:
        (server.home / "evil").write_text("a" * 60 + "b\n")
        async with connected(server) as client:
            request = asyncio.create_task(client.json("GET", "/files/grep?query=(a%2B)%2B$"))
            await until(lambda: children(server.process.pid), "the search ran")
            request.cancel()
            await until(lambda: not children(server.process.pid), "the search ended")


async def test_searches_of_a_home_with_very_many_files_are_bounded(hasty: Server) -> None:
    crowd = hasty.home / "crowd"
    for folder in range(100):
        (crowd / str(folder)).mkdir(parents=True)
        for number in range(100):
            (crowd / str(folder) / f"needle{number}").touch()
    async with connected(hasty) as client:
        for call, parameters in CALLS.items():
            answer = await client.json("GET", call, params={**parameters, "path": "crowd"})
            assert len(answer.get("results", answer.get("matches"))) <= 100


async def test_more_searches_than_run_at_once_take_turns(client: Client, place: Path) -> None:
    write(place, a="needle\n")
    answers = await asyncio.gather(*(lines(client, "needle") for _ in range(12)))
    assert answers == [["a:1:needle"]] * 12


@pytest.mark.parametrize("call", CALLS)
async def test_a_search_wants_the_key(stranger: Client, call: str) -> None:
    await stranger.json("GET", call, 401, params=CALLS[call])


async def test_searches_are_tools_with_plain_parameters(stranger: Client) -> None:
    paths = (await stranger.json("GET", "/openapi.json"))["paths"]
    names = {call: paths[call]["get"]["operationId"] for call in CALLS}
    assert names == dict(
        zip(CALLS, ["grep_search", "glob_search", "search_files", "match_files"], strict=True)
    )
    for call in CALLS:
        for parameter in paths[call]["get"]["parameters"]:
            assert parameter["schema"]["type"] in {"string", "boolean", "integer", "array"}
            assert parameter["description"]
