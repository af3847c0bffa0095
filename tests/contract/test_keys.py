"""The key: who gets in, and who never learns it."""

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.contract.running import DEADLINE_SECONDS, KEY, Client, Server, connected, free_port, running, until

CLOSED = [("POST", "/execute"), ("POST", "/files/upload"), ("GET", "/nothing-here"), ("DELETE", "/execute")]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY}x", KEY]
)
async def test_without_the_key_every_call_is_refused(
    stranger: Client, method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with stranger.request(method, path, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "detail" in await response.json()


async def test_a_stranger_is_refused_before_a_byte_of_the_body_is_read(stranger: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "1000000000", "Expect": "100-continue"}
    async with stranger.session.request(
        "POST", stranger.server.url + "/execute", headers=headers
    ) as response:
        assert response.status == 401


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json"])
async def test_health_and_the_documents_are_open(stranger: Client, path: str) -> None:
    async with stranger.request("GET", path) as response:
        assert response.status == 200


async def _accepts(server: Server, key: str) -> bool:
    async with (
        connected(server, key) as client,
        client.request("POST", "/execute", json={"command": "true"}) as response,
    ):
        return bool(response.status == 200)


async def test_the_key_can_come_from_the_command_line(tmp_path: Path) -> None:
    for number, option in enumerate((["--api-key", "from-the-line"], ["--api-key=from-the-line"])):
        with running(tmp_path / str(number), *option, key=None) as server:
            assert await _accepts(server, "from-the-line")
            assert not await _accepts(server, "from-the-lin")


async def test_every_key_that_is_given_is_valid_wherever_it_is_given(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("of-the-file")
    places = ("--api-key", "of-the-line", "--api-key=of-the-line-too", "--api-key-file", str(file))
    with running(tmp_path, *places, key="by-their-name", TERMINAL_SERVER_API_KEY="by-our-name") as server:
        for key in ("of-the-line", "of-the-line-too", "of-the-file", "by-our-name", "by-their-name"):
            assert await _accepts(server, key), key
    with running(tmp_path / "2", key="by-their-name", TERMINAL_SERVER_API_KEY="by-our-name") as server:
        assert await _accepts(server, "by-our-name")
        assert await _accepts(server, "by-their-name")


async def test_the_key_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    with running(tmp_path, key=None, OPEN_TERMINAL_API_KEY_FILE=str(file)) as server:
        assert await _accepts(server, "from-a-file")
        assert not await _accepts(server, "from-a-fil")


async def test_the_servers_files_need_not_hold_the_key_itself(tmp_path: Path) -> None:
    file = tmp_path / "digest"
    file.write_text(hashlib.sha256(b"only-its-digest").hexdigest())
    with running(tmp_path, key=None, TERMINAL_SERVER_API_KEY_SHA256_FILE=str(file)) as server:
        assert await _accepts(server, "only-its-digest")
        assert not await _accepts(server, file.read_text())


@pytest.mark.parametrize("hashed", [False, True])
async def test_a_file_may_hold_several_keys_so_that_the_old_one_works_while_the_new_one_spreads(
    tmp_path: Path, *, hashed: bool
) -> None:
    def line(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest() if hashed else key

    file = tmp_path / "keys"
    option = "--api-key-sha256-file" if hashed else "--api-key-file"
    file.write_text(f"{line('old-key')}\n\n  {line('new-key')}\n")
    with running(tmp_path, option, str(file), key=None) as server:
        assert await _accepts(server, "old-key")
        assert await _accepts(server, "new-key")
        assert not await _accepts(server, "old-key\tnew-key")
        file.write_text(line("new-key"))
        assert not await _accepts(server, "old-key")
        assert await _accepts(server, "new-key")


async def test_a_new_key_in_the_file_is_valid_at_once_and_the_old_one_no_more(tmp_path: Path) -> None:
    # As a mounted Secret changes: the folder behind a link is exchanged for another.
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "digest").write_text(hashlib.sha256(name.encode()).hexdigest())
    link = tmp_path / "data"
    link.symlink_to("old")
    with running(
        tmp_path / "server", key=None, TERMINAL_SERVER_API_KEY_SHA256_FILE=str(link / "digest")
    ) as server:
        assert await _accepts(server, "old")
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").rename(link)
        assert await _accepts(server, "new")
        assert not await _accepts(server, "old")
        link.unlink()
        assert await _accepts(server, "new"), "a file that is away for a moment leaves the last key valid"


def _become_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _grow(file: Path) -> None:
    file.write_text("new" + " " * 100_000)


def _become_binary(file: Path) -> None:
    file.write_bytes(b"new\n\xff\n")


@pytest.mark.parametrize("spoil", [_become_a_pipe, _grow, _become_binary, Path.unlink])
async def test_a_key_file_that_is_spoilt_leaves_the_last_keys_valid_and_is_told_of_once(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = tmp_path / "keys"
    file.write_text("old")
    with running(tmp_path / "server", "--api-key-file", str(file), key=None) as server:
        assert await _accepts(server, "old")
        spoil(file)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await _accepts(server, "old")
            assert not await _accepts(server, "new")
        assert server.logged().count(f"the key file {file}") == 1
        (tmp_path / "next").write_text("new")
        (tmp_path / "next").rename(file)
        assert await _accepts(server, "new")
        assert not await _accepts(server, "old")


async def test_without_any_key_one_is_made_and_printed_once(tmp_path: Path) -> None:
    with running(tmp_path, key=None) as server:
        printed = re.findall(r"API key: (\S+)", server.logged())
        assert len(printed) == 1
        assert len(printed[0]) >= 43
        assert await _accepts(server, printed[0])
        assert server.logged().count(printed[0]) == 1


@pytest.mark.parametrize("content", [None, "", "\n"])
@pytest.mark.parametrize("variable", ["OPEN_TERMINAL_API_KEY_FILE", "TERMINAL_SERVER_API_KEY_SHA256_FILE"])
def test_a_key_file_that_is_no_use_stops_the_server_instead_of_opening_it(
    tmp_path: Path, variable: str, content: str | None
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    ended = subprocess.run(
        [sys.executable, "-m", "terminal_server", "run", "--port", str(free_port())],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), variable: str(file)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert "key file" in ended.stderr


async def test_keys_may_come_through_a_pipe_which_is_read_at_the_start_only(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = asyncio.create_task(asyncio.to_thread(pipe.write_text, "through-a-pipe"))
    await asyncio.sleep(0)
    with running(tmp_path / "server", "--api-key-file", str(pipe), key=None) as server:
        await writing
        for _ in range(2):
            async with asyncio.timeout(DEADLINE_SECONDS):
                assert await _accepts(server, "through-a-pipe")


def test_a_key_file_that_is_no_file_or_has_no_end_stops_the_server_at_once(tmp_path: Path) -> None:
    for name in ("", "/dev/zero"):
        with (
            pytest.raises(AssertionError, match="the server ended at its start"),
            running(tmp_path / f"home-{Path(name).name}", "--api-key-file", str(tmp_path / name), key=None),
        ):
            pass


@pytest.mark.parametrize("way", ["environment", "command line", "own environment name", "all"])
async def test_a_command_finds_the_key_nowhere_in_proc(tmp_path: Path, way: str) -> None:
    rest = f"that-must-not-be-found-{uuid.uuid4()}"
    secret = f"a-secret-{rest}"
    arguments = ("--api-key", secret) if way in {"command line", "all"} else ()
    own = {"own environment name": secret, "all": f"{secret}-own"}.get(way, "")
    key = {"environment": secret, "all": f"{secret}-their"}.get(way)
    flags = f" -- KEY={secret} OURS={own} THEIRS={key}"
    with running(
        tmp_path, *arguments, key=key, TERMINAL_SERVER_API_KEY=own, MAKEFLAGS=flags, OURS=own
    ) as server:
        async with connected(server, secret) as client:
            # Put together only here, so that the searching command does not find itself.
            look = (
                f"half={rest}; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null"
                " | tr '\\0' '\\n' > seen; grep -c . seen; grep -e a-secret-$half seen; env | grep -e a-secret-$half"
            )
            answer = await client.execute(look)
            count, *found = answer["stdout"].splitlines()
            assert int(count) > 10
            assert found == []
            assert secret not in (await client.execute("env"))["stdout"]
        assert secret not in server.logged()


async def test_a_command_of_the_same_user_cannot_look_into_the_server(tmp_path: Path) -> None:
    # Root may look into everything by its capabilities: without them, it is a user like others.
    wrap = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    look = """for file in environ mem; do head -c 1 /proc/$pid/$file > /dev/null && echo $file; done
        readlink /proc/$pid/fd/1 > /dev/null && echo fd"""
    with running(tmp_path, wrap=wrap) as server:
        async with connected(server) as client:
            assert (await client.execute(f"pid={server.process.pid}; {look}"))["stdout"] == ""
            own = await client.execute(f"sleep 5 & pid=$!; {look}; kill $pid")
            assert own["stdout"] == "environ\nfd\n"


async def test_nothing_of_the_servers_own_settings_is_in_a_commands_environment(tmp_path: Path) -> None:
    with running(tmp_path, TERMINAL_SERVER_KILL_GRACE_SECONDS="0.5", OPEN_TERMINAL_OTHER="x") as server:
        async with connected(server) as client:
            names = (await client.execute("env"))["stdout"]
    assert "TERMINAL_SERVER" not in names
    assert "OPEN_TERMINAL" not in names


async def test_no_secret_is_in_the_log(server: Server, client: Client, stranger: Client) -> None:
    already = len(server.logged())
    link = await client.json("POST", "/files/upload/link?dir=log-secret-folder")
    token = link["url"].rsplit("/", 1)[1]
    async with stranger.session.get(link["url"]) as response:
        assert response.status == 200
    form = aiohttp.FormData()
    form.add_field("file", b"x", filename="x")
    async with stranger.session.post(link["url"], data=form) as response:
        assert response.status == 200
    await client.execute("echo a-command-that-is-private")

    def has_logged(line: str) -> bool:
        return line in server.logged()[already:]

    # A line is written when all is sent, which the client may see before.
    await until(lambda: has_logged("POST /execute 200"), "the command is logged")
    await until(lambda: has_logged("POST /files/upload/*** 200"), "the upload is logged")
    logged = server.logged()
    for secret in (KEY, token, token[:20], "log-secret-folder", "a-command-that-is-private"):
        assert secret not in logged
