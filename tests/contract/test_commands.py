"""`POST /execute` by contract 2: commands that go on in the background, and are asked after."""

import asyncio
import io
import itertools
import json
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from terminal_server.commands.request import Request

from tests.contract.running import (
    Client,
    alive,
    connected,
    out_of_time,
    pids,
    running,
    running_like,
    until,
)

OTHER = {"X-Session-Id": "other"}
JSON = {"Content-Type": "application/json"}


async def run(client: Client, command: str, query: str = "?wait=20", **body: object) -> dict[str, Any]:
    data = io.BytesIO(json.dumps({"command": command, **body}).encode())
    answer = await client.json("POST", f"/execute{query}", data=data, headers=JSON)
    assert isinstance(answer, dict)
    return answer


async def send(client: Client, command: dict[str, Any], typed: str, code: int = 200) -> Any:
    """Send input, which may be large."""
    body = io.BytesIO(json.dumps({"input": typed}).encode())
    return await client.json("POST", f"/execute/{command['id']}/input", code, data=body, headers=JSON)


async def status(client: Client, command: dict[str, Any], query: str = "?wait=20") -> dict[str, Any]:
    answer = await client.json("GET", f"/execute/{command['id']}/status{query}")
    assert isinstance(answer, dict)
    return answer


def text(answer: dict[str, Any]) -> str:
    return "".join(entry["data"] for entry in answer["output"])


def read(path: str) -> str:
    return Path(path).read_text()


async def test_a_command_that_ends_in_time_is_answered_with_all_it_printed(client: Client) -> None:
    answer = await run(client, "echo out; exit 3")
    assert answer.pop("id")
    assert Path(answer.pop("log_path")).parent == client.server.home / ".cache/terminal-server/commands"
    assert answer == {
        "command": "echo out; exit 3",
        "cwd": str(client.server.home),
        "status": "done",
        "exit_code": 3,
        "output": [{"type": "stdout", "data": "out\n"}],
        "next_offset": 1,
        "truncated": False,
    }


async def test_a_call_that_shows_no_contract_is_answered_for_clients_of_both(client: Client) -> None:
    answer = await run(client, "echo out; echo err >&2; exit 3", query="")
    assert (answer["exit_code"], answer["stdout"], answer["stderr"]) == (3, "out\n", "err\n")
    assert answer["status"] == "done"


async def test_by_a_setting_such_a_call_is_answered_by_contract_1(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_EXECUTE_CONTRACT="1") as server:
        async with connected(server) as client:
            first = {"exit_code": 0, "stdout": "", "stderr": ""}
            assert await run(client, "true", query="") == first
            assert (await run(client, "true", query="?wait=5"))["status"] == "done"
            document = await client.json("GET", "/openapi.json")
    assert _fields(document) == ["command", "timeout"]
    assert _parameters(document) == ["stream"]


async def test_models_are_shown_contract_2(client: Client) -> None:
    document = await client.json("GET", "/openapi.json")
    assert document["paths"]["/execute"]["post"]["operationId"] == "run_command"
    assert _fields(document) == ["command", "cwd", "env"]
    assert _parameters(document) == ["tail", "wait"]


def _fields(document: dict[str, Any]) -> list[str]:
    body = document["paths"]["/execute"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return sorted(body["properties"])


def _parameters(document: dict[str, Any]) -> list[str]:
    return sorted(parameter["name"] for parameter in document["paths"]["/execute"]["post"]["parameters"])


@pytest.mark.parametrize("query", ["?wait=9", "?tail=3", "?wait=9&tail=3"])
async def test_wait_or_tail_select_contract_2(client: Client, query: str) -> None:
    answer = await run(client, "true", query=query)
    assert answer["status"] == "done"
    assert "stdout" not in answer


@pytest.mark.parametrize("body", [{"cwd": "/"}, {"env": {"A": "b"}}, {"cwd": "/", "env": {}}])
async def test_cwd_or_env_select_contract_2(client: Client, body: dict[str, object]) -> None:
    answer = await run(client, "true", query="", **body)
    assert answer["status"] == "done"
    assert "stdout" not in answer


@pytest.mark.parametrize("nothing", ["", " ", "null", "None"])
async def test_what_models_write_for_nothing_is_nothing(client: Client, nothing: str) -> None:
    neither = await run(client, "pwd", query="", cwd=nothing, env=nothing)
    assert (neither["stdout"], neither["status"]) == (f"{client.server.home}\n", "done")
    timed = await run(client, "echo x", query="", timeout=nothing)
    assert timed == {"exit_code": 0, "stdout": "x\n", "stderr": ""}


@pytest.mark.parametrize(
    ("timeout", "seconds"), [("", 30), (" ", 30), ("null", None), (None, None), ("5", 5), (5, 5)]
)
def test_an_empty_time_limit_is_the_one_of_a_call_without(timeout: object, seconds: float | None) -> None:
    body = Request.model_validate({"command": "true", "timeout": timeout})
    assert (body.timeout, body.wants_timeout) == (seconds, True)


async def test_variables_may_come_as_the_text_of_their_json(client: Client) -> None:
    answer = await run(client, "echo $A", query="", env='{"A": "b c"}')
    assert (answer["status"], text(answer)) == ("done", "b c\n")
    assert "stdout" not in answer


async def test_a_call_with_marks_of_both_keeps_the_time_limit_and_the_place(client: Client) -> None:
    async def attempt(limit: float) -> dict[str, Any] | None:
        body = {"timeout": limit, "cwd": "/usr", "env": {"COLOUR": "red"}}
        answer = await run(client, "pwd; echo $COLOUR; sleep 1000", query="?wait=30", **body)
        return answer if answer["stdout"].count("\n") == 2 else None

    assert await out_of_time(attempt) == {"exit_code": -1, "stdout": "/usr\nred\n", "stderr": ""}


@pytest.mark.parametrize(
    "body",
    [
        '{"command": "pwd; echo ä; exit 3", "timeout": 5}',
        '{"command": "pwd; echo $A >&2", "cwd": "/usr", "env": {"A": "b"}, "colour": 1}',
        '{"command": "true", "timeout": null, "cwd": null, "env": null}',
        '{"command": "pwd", "timeout": "null", "cwd": "None", "env": ""}',
        '{"command": "echo $A", "env": "{\\"A\\": 1}"}',
        '{"command": 1}',
        '{"command": "true", "timeout": "soon"}',
        '{"command": "true", "env": {"A": 1}}',
        '{"command": "true", "command": "exit 4"}',
        '{"command": "\\ud800"}',
        '["true"]',
        "null",
        '{"command": ',
        "\ufeff{}",
        "",
    ],
)
async def test_the_short_way_and_the_long_lead_to_the_same_answer(client: Client, body: str) -> None:
    short, long = await _answered_both_ways(client, body)
    assert short == long


@pytest.mark.parametrize(
    "query",
    [
        "wait=5",
        "wait=5.5&tail=1",
        "tail=1.0",
        "stream=no",
        "stream=perhaps",
        "tail=0",
        "tail=1.5",
        "wait=soon",
        "wait=301",
        "wait=nan",
        "wait=",
        "wait=0&wait=5",
        "wait=5&wait=301",
        "wait[]=301",
        "Wait=301",
        "colour=red",
        "body=1&services=2&session=3",
        "&",
    ],
)
async def test_a_query_is_understood_alike_on_both_ways(client: Client, query: str) -> None:
    short, long = await _answered_both_ways(client, '{"command": "echo a; echo b >&2"}', query)
    assert short == long


async def _answered_both_ways(client: Client, body: str, query: str = "") -> list[tuple[int, dict[str, Any]]]:
    # Only a body of exactly that type takes the short one.
    return [
        await _answered(client, body, kind, query)
        for kind in ("application/json", "application/json; charset=utf-8")
    ]


async def _answered(client: Client, body: str, kind: str, query: str) -> tuple[int, dict[str, Any]]:
    async with client.request(
        "POST", f"/execute?{query}", data=body.encode(), headers={"Content-Type": kind}
    ) as response:
        answer = await response.json()
    return response.status, {name: answer[name] for name in answer if name not in {"id", "log_path"}}


async def test_unknown_fields_are_ignored(client: Client) -> None:
    assert (await run(client, "true", colour="red"))["status"] == "done"


async def test_a_command_that_takes_longer_goes_on_and_is_asked_after(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    answer = await run(client, f"echo one; until [ -e {gate} ]; do sleep 0.02; done; echo two", "?wait=0")
    assert (answer["status"], answer["exit_code"]) == ("running", None)
    log = Path(answer["log_path"])
    await until(lambda: log.exists() and log.read_text() == "one\n", "the log of what runs is written")
    asking = asyncio.create_task(status(client, answer))
    gate.touch()
    ended = await asking
    assert (ended["status"], ended["exit_code"], text(ended)) == ("done", 0, "one\ntwo\n")
    new = await status(client, answer, f"?offset={ended['next_offset']}")
    assert (new["output"], new["next_offset"]) == ([], ended["next_offset"])


async def test_what_python_prints_is_seen_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path, wrap=("env", "--unset=PYTHONUNBUFFERED")) as server:
        async with connected(server) as client:
            program = "import time; print('ready'); time.sleep(1000)"
            begun = await run(client, f'python3 -c "{program}"', "?wait=0")

            async def seen() -> bool:
                return text(await status(client, begun, "?wait=0")) == "ready\n"

            await until(seen, "what it printed was seen")


async def test_who_shows_output_on_a_screen_gets_lines_that_begin_at_its_left(client: Client) -> None:
    answer = await run(client, r"printf 'a\nb\r\nc\n\n'", "?wait=20")
    assert text(answer) == "a\nb\r\nc\n\n"
    assert text(await status(client, answer, "?wait=0&offset=0&tail=1000")) == "a\r\nb\r\nc\r\n\r\n"
    for query in ("?offset=0", "?tail=1000", "?wait=0"):
        assert text(await status(client, answer, query)) == "a\nb\r\nc\n\n"


async def test_a_wait_ends_when_the_command_does(client: Client) -> None:
    begun = time.monotonic()
    answer = await run(client, "sleep 0.3", "?wait=300")
    assert answer["status"] == "done"
    assert time.monotonic() - begun < 10


async def test_who_stops_waiting_does_not_end_the_command(client: Client, tmp_path: Path) -> None:
    command = (
        f"echo $$ > {tmp_path}/pid; until [ -e {tmp_path}/gate ]; do sleep 0.02; done; touch {tmp_path}/done"
    )
    request = asyncio.create_task(run(client, command, "?wait=60"))
    await until(lambda: pids(tmp_path / "pid"), "the command ran")
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    (tmp_path / "gate").touch()
    await until((tmp_path / "done").exists, "it went on to its end")


async def test_both_streams_are_told_apart_and_in_order(client: Client, tmp_path: Path) -> None:
    # The order is known of what is printed after the other was read.
    shown = [f"until [ -e {tmp_path}/{number} ]; do sleep 0.02; done" for number in range(6)]
    prints = [f"echo {number}{' >&2' if number % 2 else ''}" for number in range(6)]
    answer = await run(client, "; ".join(itertools.chain(*zip(prints, shown, strict=True))), "?wait=0")

    async def prints_so_many(entries: int) -> bool:
        return len((await status(client, answer, ""))["output"]) == entries

    for number in range(6):
        await until(partial(prints_so_many, number + 1), "it was read")
        (tmp_path / f"{number}").touch()
    assert [(entry["type"], entry["data"]) for entry in (await status(client, answer))["output"]] == [
        ("stderr" if number % 2 else "stdout", f"{number}\n") for number in range(6)
    ]


async def test_the_list_has_the_commands_of_the_session_and_of_no_other(client: Client) -> None:
    session = {"X-Session-Id": uuid.uuid4().hex, "X-User-Id": "u"}
    body = {"command": "exit 4"}
    mine = await client.json("POST", "/execute?wait=20", json=body, headers=session)
    expected = {key: mine[key] for key in ("id", "command", "status", "exit_code", "log_path")}
    for _ in range(3):
        assert await client.json("GET", "/execute", headers=session) == [expected]
    for headers in (OTHER, session | OTHER, session | {"X-User-Id": "v"}):
        assert mine["id"] not in json.dumps(await client.json("GET", "/execute", headers=headers))
        for method, path in (("GET", "status"), ("POST", "input"), ("DELETE", "")):
            address = f"/execute/{mine['id']}/{path}".rstrip("/")
            answer = await client.json(method, address, 404, headers=headers, json={"input": ""})
            assert answer == {"detail": "There is no such command in this session."}


async def test_a_command_starts_in_its_sessions_directory(client: Client, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    session = {"X-Session-Id": uuid.uuid4().hex}
    await client.json("POST", "/files/cwd", json={"path": str(tmp_path)}, headers=session)

    async def place(**body: object) -> str:
        answer = await client.json(
            "POST", "/execute?wait=20", json={"command": "pwd", **body}, headers=session
        )
        assert text(answer) == answer["cwd"] + "\n"
        return str(answer["cwd"])

    assert await place() == str(tmp_path)
    assert await place(cwd="sub") == str(tmp_path / "sub")
    assert await place(cwd="/usr") == "/usr"
    assert await place(cwd="~") == str(client.server.home)
    first = {"command": "pwd", "timeout": 30}
    assert (await client.json("POST", "/execute", json=first, headers=session))["stdout"] == f"{tmp_path}\n"
    await run(client, f"rm -r {tmp_path}")
    # Its user is not locked out.
    assert await place() == str(client.server.home)
    tmp_path.mkdir()  # noqa: ASYNC240 - pytest wants it back


@pytest.mark.parametrize(
    ("cwd", "detail"),
    [
        ("/nowhere", "cwd: /nowhere: No such file or directory"),
        ("/etc/passwd", "cwd: /etc/passwd: Not a directory"),
    ],
)
@pytest.mark.parametrize("query", ["?wait=5", "?stream=true", "?stream=false"])
async def test_a_cwd_that_is_no_folder_is_refused_by_name(
    client: Client, cwd: str, detail: str, query: str
) -> None:
    answer = await client.json("POST", f"/execute{query}", 422, json={"command": "true", "cwd": cwd})
    assert answer == {"detail": detail}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cwd", "a\0b"),
        ("cwd", "\ud800"),
        ("env", {"": "x"}),
        ("env", {"A=B": "x"}),
        ("env", {"A\0": "x"}),
        ("env", {"A": "\0"}),
        ("env", {"A": "\ud800"}),
        ("env", {"\udc00": "x"}),
        ("env", {"A": "x" * 1_000_000}),
        ("env", {"A": None}),
        ("env", ["A"]),
        ("env", '["A"]'),
        ("env", '{"A": '),
        ("env", '{"A": "\\ud800"}'),
        ("env", "[" * 100_000),
        ("command", "x\0"),
        ("command", "\udc80"),
    ],
    ids=lambda value: ascii(value)[:20],
)
async def test_what_no_process_can_be_given_is_refused_by_name(
    client: Client, field: str, value: object
) -> None:
    body = {"command": "true", field: value}
    answer = await client.json("POST", "/execute?wait=5", 422, json=body)
    assert answer["detail"][0]["loc"][:2] == ["body", field]


async def test_an_environment_larger_than_the_system_takes_is_refused(client: Client) -> None:
    body = {"command": "true", "env": {f"V{number}": "x" * 100_000 for number in range(100)}}
    data = io.BytesIO(json.dumps(body).encode())
    answer = await client.json("POST", "/execute?wait=5", 422, data=data, headers=JSON)
    assert answer == {"detail": "command and env are longer than the system allows"}


async def test_variables_reach_the_command_and_nothing_else(client: Client) -> None:
    big = {f"BIG{number}": "x" * 100_000 for number in range(2)}
    env = {"PATH": "/nowhere:/usr/bin:/bin", "N": 1, "LD_LIBRARY_PATH": "/x", "A": "a b\n€", **big}
    answer = await run(client, 'echo "$PATH $N $A ${#BIG1}"; id -u > /dev/null', env=env)
    assert text(answer) == "/nowhere:/usr/bin:/bin 1 a b\n€ 100000\n"
    after = await run(client, 'echo "$PATH,$N,$A"')
    assert "/nowhere" not in text(after)
    assert text(after).endswith(",,\n")


@pytest.mark.parametrize("size", [140_000, 10_000_000])
async def test_a_command_longer_than_an_argument_may_be_works_and_is_shown_shortened(
    client: Client, size: int
) -> None:
    answer = await run(client, f"echo {'x' * size} | wc -c; cat")
    assert text(answer) == f"{size + 1}\n"
    assert answer["command"] == "echo " + "x" * 3995 + "…"
    assert (await client.json("GET", "/execute"))[-1]["command"] == answer["command"]


async def test_input_is_read_by_the_command(client: Client) -> None:
    answer = await run(client, "read -r line; echo got: $line; cat", "?wait=0")
    for text_sent in ("one \\ two\n", "three\nfour\n", "five\\n", "\x04"):
        assert await send(client, answer, text_sent) == {"status": "ok"}
    ended = await status(client, answer)
    assert (ended["status"], ended["exit_code"]) == ("done", 0)
    assert text(ended) == "got: one \\ two\nthree\nfour\nfive\n"


async def test_the_end_of_the_input_may_come_more_than_once_and_within_a_line(client: Client) -> None:
    answer = await run(client, "for i in 1 2 3; do cat | wc -c; done", "?wait=0")
    for typed, printed in (("five5\x04", "5\n"), ("with\nseven\x04", "5\n10\n"), ("\\x04", "5\n10\n0\n")):
        await send(client, answer, typed)
        while text(await status(client, answer, "?wait=0.1")) != printed:
            pass
    assert (await status(client, answer))["exit_code"] == 0


async def test_much_input_arrives_whole(client: Client) -> None:
    answer = await run(client, "head -c 1000000 | sha256sum", "?wait=0")
    await send(client, answer, "0123456\n" * 125_000)
    expected = await run(client, "yes 0123456 | head -c 1000000 | sha256sum")
    assert text(await status(client, answer)) == text(expected)


async def test_programs_that_look_at_their_input_find_a_terminal_and_do_not_wait_for_its_end(
    client: Client,
) -> None:
    assert text(await run(client, "[ -t 0 ] && echo terminal; [ -t 1 ] || echo pipe")) == "terminal\npipe\n"


async def test_ctrl_c_interrupts_the_command(client: Client, tmp_path: Path) -> None:
    nap = f"sleep 1000.{uuid.uuid4().int}"
    answer = await run(
        client, f"trap 'echo interrupted' INT; touch {tmp_path}/ready; {nap}; exit 5", "?wait=0"
    )
    await until(lambda: running_like(nap), "it sleeps")
    await client.json("POST", f"/execute/{answer['id']}/input", json={"input": "\\x03"})
    ended = await status(client, answer)
    assert (ended["status"], ended["exit_code"], text(ended)) == ("done", 5, "interrupted\n")
    assert running_like(nap) == []


async def test_input_for_a_command_that_has_ended_is_refused(client: Client) -> None:
    answer = await run(client, "true")
    sent = await client.json("POST", f"/execute/{answer['id']}/input", 400, json={"input": "x\n"})
    assert sent == {"detail": "input: the command has ended, or its input has"}


@pytest.mark.parametrize("body", [{}, {"input": "\0"}, {"input": "\ud800"}, {"input": 3}, [], None])
async def test_input_that_is_none_is_refused_by_name(client: Client, body: object) -> None:
    answer = await run(client, "sleep 1000", "?wait=0")
    refused = await client.json("POST", f"/execute/{answer['id']}/input", 422, json=body)
    assert refused["detail"][0]["loc"][0] == "body"
    await client.json("DELETE", f"/execute/{answer['id']}?force=true")


async def test_a_command_that_does_not_read_holds_up_nobody_for_ever(client: Client) -> None:
    answer = await run(client, "sleep 1000", "?wait=0")
    sent = await send(client, answer, "x\n" * 500_000, 409)
    assert sent == {"detail": "input: the command did not read all of it within 10 s"}
    await client.json("DELETE", f"/execute/{answer['id']}?force=true")


async def test_what_was_left_in_the_background_is_not_waited_for(client: Client, tmp_path: Path) -> None:
    answer = await run(client, f"sleep 1000 & echo $! > {tmp_path}/pid; echo hi")
    assert (answer["status"], text(answer)) == ("done", "hi\n")
    assert alive(pids(tmp_path / "pid")[0])
    await run(client, f"kill {pids(tmp_path / 'pid')[0]}")


@pytest.mark.parametrize("value", ["-1", "301", "NaN", "Infinity", "soon"])
async def test_a_wait_that_is_none_is_refused_by_name(client: Client, value: str) -> None:
    answer = await client.json("POST", f"/execute?wait={value}", 422, json={"command": "true"})
    assert answer["detail"][0]["loc"] == ["query", "wait"]


@pytest.mark.parametrize("query", ["wait=null", "tail=", "wait=None&tail=undefined"])
async def test_parameters_without_a_value_are_none(client: Client, query: str) -> None:
    answer = await run(client, "echo a", f"?{query}")
    assert answer["stdout"] == "a\n"
