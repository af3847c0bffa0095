"""The calls that clients repeat all the time: every second, or in every chat."""

import time
from collections import defaultdict
from functools import partial
from http import HTTPStatus

from benchmarks.server.comparison import FLOOR, US, Comparison, Unit, at_most, typical
from benchmarks.server.contestants import KEY, POLLED, STATUS, Contestant, bare_application, servers
from benchmarks.server.running import Running, all_running, in_turns
from benchmarks.server.wire import Connection, request

ROUNDS = 5
_CALLS = 100
_COMMANDS = 20
_SKILLS = 5
_AIM = at_most(0.001, "≤ 1 ms")


def measure(rounds: int = ROUNDS) -> list[Comparison]:
    """Ask each in turns, after it has run some commands and has some skills."""
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with all_running((bare_application(), *servers())) as contestants:
        connections = {server.name: server.connect() for server in contestants}
        ids = {server.name: _prepare(server, connections[server.name]) for server in contestants}

        def measure_one(server: Running, path: str) -> None:
            called = "/health" if server.name == FLOOR else path.replace("ID", ids[server.name])
            times[path, server.name] += _time(connections[server.name], called)

        for path in POLLED:
            having = [server for server in contestants if _has(server.contestant, path)]
            in_turns(rounds, having, partial(measure_one, path=path))
        for connection in connections.values():
            connection.close()
    return [
        Comparison(
            f"`GET {path.replace('ID', '{id}')}`, p50",
            Unit.SECONDS,
            {name: typical(values) for (asked, name), values in times.items() if asked == path},
            (_AIM,),
        )
        for path in POLLED
    ]


def _has(contestant: Contestant, path: str) -> bool:
    return contestant.name == FLOOR or path in contestant.polled


def _time(connection: Connection, path: str) -> list[float]:
    sent = request("GET", path, key=KEY)
    connection.exchange(sent).json()
    times = []
    for _ in range(_CALLS):
        begun = time.perf_counter()
        answer = connection.exchange(sent)
        times.append(time.perf_counter() - begun)
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{path}: status {answer.status}")
    return times


def _prepare(server: Running, connection: Connection) -> str:
    """Run some commands; return the id of the last."""
    if STATUS not in server.contestant.polled:
        return ""
    for number in range(_SKILLS):
        folder = server.home / f".agents/skills/skill{number}"
        folder.mkdir(parents=True)
        text = f"---\nname: skill{number}\ndescription: How to do a thing.\n---\nDo it.\n"
        (folder / "SKILL.md").write_text(text)
    told = [
        connection.post(server.contestant.execute, {"command": "seq 100"}).json() for _ in range(_COMMANDS)
    ]
    if server.name == US and len(connection.get("/skills").json()) != _SKILLS:
        raise RuntimeError("the skills are not found")
    return str(told[-1]["id"])
