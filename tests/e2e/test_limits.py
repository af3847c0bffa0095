"""What a class limits holds, and who reaches a limit hurts nobody else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.shell import Shell
from tests.e2e.kit.waiting import until

# Processes that wait, until no more can be made; says how many there were.
_FILL = """
import os, signal, time
children = []
try:
    while True:
        child = os.fork()
        if child == 0:
            time.sleep(600)
            os._exit(0)
        children.append(child)
except BlockingIOError:
    print(len(children), flush=True)
    time.sleep({seconds})
finally:
    for child in children:
        os.kill(child, signal.SIGKILL)
"""


@contextlib.asynccontextmanager
async def answering_all_the_while(shell: Shell) -> AsyncIterator[None]:
    """Another user's terminal runs one command after the other meanwhile, and none fails."""
    done, answered = asyncio.Event(), 0

    async def use() -> None:
        nonlocal answered
        while not done.is_set():
            assert await shell.output("echo $((20 + 3))") == "23\n"
            answered += 1
            await asyncio.sleep(0.1)

    task = asyncio.create_task(use())
    try:
        yield
    finally:
        done.set()
        await task
    assert answered > 0


async def until_it_works_again(shell: Shell) -> None:
    """Wait until a terminal whose processes were used up runs commands: they take a moment to end."""

    async def works() -> bool:
        with contextlib.suppress(aiohttp.ClientError, AssertionError, TimeoutError):
            return (await asyncio.wait_for(shell.execute("echo back"), 10)) == (0, "back\n", "")
        return False

    await until(works, "the terminal works again")


async def test_cpu_is_limited_to_what_the_terminal_has(namespace: Namespace) -> None:
    _, shell = await namespace.start("alice", resources={"limits": {"cpu": "300m"}})
    quota = await shell.output(
        "cat /sys/fs/cgroup/cpu.max 2>/dev/null || paste -d' ' /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
        " /sys/fs/cgroup/cpu/cpu.cfs_period_us"
    )
    used, period = map(int, quota.split())
    assert used / period == 0.3
    # Two busy loops for three seconds of wall time get no more than that share.
    busy = 'timeout 3 sh -c "while :; do :; done"'
    times = await shell.execute(f"bash -c 'time {{ {busy} & {busy} & wait; }}'")
    seconds = dict(line.split() for line in times.stderr.split("\n") if line.count("\t") == 1)
    wall, user, system = (_seconds(seconds[name]) for name in ("real", "user", "sys"))
    assert (user + system) / wall < 0.3 * 1.25, times.stderr


def _seconds(text: str) -> float:
    minutes, rest = text.rstrip("s").split("m")
    return int(minutes) * 60 + float(rest)


async def eat_memory(shell: Shell) -> None:
    """Use more memory than there may be, until the kernel ends the process, or the container with it."""
    hog = "b = bytearray()\nwhile True: b.extend(bytes(10**7))"
    with contextlib.suppress(aiohttp.ClientError):
        async with shell.request("POST", "/execute", json={"command": f"python3 -c '{hog}'"}) as answer:
            if answer.status == 200:
                assert (await answer.json())["exit_code"] == 137, await answer.text()
            else:
                assert answer.status in {502, 503, 504}, "the ingress says that the terminal went away"


async def test_a_memory_hog_is_ended_and_hurts_nobody_else(namespace: Namespace) -> None:
    hog_limits = {"limits": {"memory": "200Mi"}}
    (alice, shell), (_, bob) = await asyncio.gather(
        namespace.start("alice", resources=hog_limits), namespace.start("bob")
    )
    await shell.output("echo precious > kept.txt")
    async with answering_all_the_while(bob):
        for _ in range(3):
            await eat_memory(shell)
        again = await alice.until_ready()
        assert await again.output("cat kept.txt") == "precious\n"


async def test_all_processes_of_one_terminal_leave_the_others_theirs(namespace: Namespace) -> None:
    most = (await namespace.cluster.kubelet_settings())["podPidsLimit"]
    assert most > 0, "the kubelet does not limit processes"
    (_, shell), (_, bob) = await namespace.start_all("alice", "bob", resources={"limits": {"cpu": "1"}})
    filler = _FILL.format(seconds=3)
    async with answering_all_the_while(bob):
        lines = shell.stream(f"python3 -c '{filler}'")
        children = int(json.loads((await anext(lines))["data"]))
        # Alice's are used up, while Bob, with the same uid on the same node, makes as many as he likes.
        assert most * 0.8 < children < most
        assert await bob.output("for i in $(seq 50); do sleep 1 & done; wait; echo made") == "made\n"
        assert [line["data"] async for line in lines][-1] == 0
    await until_it_works_again(shell)


async def test_a_fork_bomb_ends_with_its_command_and_hurts_nobody_else(namespace: Namespace) -> None:
    (alice, shell), (_, bob) = await namespace.start_all(
        "alice", "bob", resources={"limits": {"cpu": "500m"}}
    )
    async with answering_all_the_while(bob):
        with contextlib.suppress(aiohttp.ClientError, AssertionError, TimeoutError):
            await asyncio.wait_for(shell.execute("bomb() { bomb | bomb & }; bomb; sleep 100", timeout=3), 30)
    await until_it_works_again(shell)

    async def bomb_is_gone() -> bool:
        with contextlib.suppress(AssertionError):
            return int(await shell.output("ls -d /proc/[0-9]* | wc -l")) < 20
        return False

    await until(bomb_is_gone, "none of the bomb's processes is left", story=alice.story)


async def test_who_writes_too_much_outside_the_home_is_evicted_and_keeps_the_home(
    namespace: Namespace,
) -> None:
    limits = {"limits": {"ephemeral-storage": "50Mi"}}
    alice, shell = await namespace.start("alice", resources=limits)
    await shell.output("echo precious > kept.txt")
    assert (await shell.execute("echo x > /usr/x")).exit_code != 0, "the root file system is read-only"
    uid = (await alice.pod())["metadata"]["uid"]
    # The kubelet measures every ten seconds, and may find it too much before the command has ended.
    write = {"command": "head -c 120000000 /dev/zero > /tmp/much"}
    await shell.ask("/execute", "POST", json=write)
    await alice.until_child("pods", other_than=uid)
    again = await alice.until_ready()
    assert await again.output("cat kept.txt; ls /tmp") == "precious\n"

    async def told() -> bool:
        events = await namespace.cluster.api.list("events", namespace.name)
        return "Evicted" in {event["reason"] for event in events}

    await until(told, "an event tells of the eviction", story=alice.story)
