"""A key is in its Secret, and nowhere else."""

import asyncio
import hashlib
import json
import re

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.operator import Operator


async def test_the_key_is_in_no_env_event_status_or_log_and_not_to_be_found_from_inside(
    namespace: Namespace, operator: Operator
) -> None:
    cluster = namespace.cluster
    alice, shell = await namespace.start("alice")
    key = shell.key
    assert key is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key)
    assert json.loads((await shell.ask("/files/download/link?path=/etc/hostname")).body)["url"]

    pod = await alice.pod()
    digest = hashlib.sha256(key.encode()).hexdigest()
    # `cat` also proves that looking for the key from inside would find what is there.
    assert await shell.output("cat /run/secrets/terminal/*") == digest
    everything = {
        "pod": pod,
        "terminal": await alice.read(),
        "other children": [
            await alice.child(kind)
            for kind in ("services", "networkpolicies", "httproutes", "persistentvolumeclaims")
        ],
        "events": await cluster.api.list("events", namespace.name),
        "operator's log": await operator.log(),
        "terminal's log": await cluster.pod_log(namespace.name, alice.base),
        "environments": await shell.output(
            "cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; env"
        ),
        "files": await shell.output("cat $(find /run /tmp /home -type f 2>/dev/null) </dev/null; true"),
    }
    for where, what in everything.items():
        assert key not in json.dumps(what), f"the key is in the {where}"
    secret_env = [each for each in pod["spec"]["containers"][0]["env"] if "valueFrom" in each]
    assert secret_env == []


async def test_every_terminal_has_a_key_of_its_own(namespace: Namespace) -> None:
    terminals = [await namespace.apply(f"t{number}") for number in range(3)]
    for terminal in terminals:
        await terminal.until_condition("Accepted", "True")
    keys = await asyncio.gather(*(terminal.key() for terminal in terminals))
    assert len(set(keys)) == len(keys)
