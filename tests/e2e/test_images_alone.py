"""The images without an operator, as `docker run` starts them: a writable root, the key in the environment or none.

There is no Docker engine in the tests' node: a pod with nothing but the image, run by containerd, is the same thing.
"""

import json
import re
import shlex
from typing import Any

import pytest
from localcluster import imagelist

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.waiting import until
from tests.e2e.kit.wheels import make_wheels

# The full image may have to be built first.
pytestmark = pytest.mark.timeout(1800)
KEY = "a-key-of-the-users-own"
_ASK = (
    "curl --silent --header 'Authorization: Bearer {key}' --json '{{\"command\": \"echo $((6 * 7))\"}}' {url}"
)


@pytest.fixture(params=["terminal", "terminal-full"])
def image(request: pytest.FixtureRequest) -> str:
    """One image after the other."""
    if request.param == "terminal-full":
        return str(request.getfixturevalue("full_image"))
    return imagelist.find(request.param).name


async def run(
    namespace: Namespace, image: str, *, before: str = "true", folder: str = "/given", **env: str
) -> None:
    """Start the image as a pod called `alone`, and wait until it answers.

    Args:
        namespace: where.
        image: the image's name.
        before: what to run first, in a folder that is a volume.
        folder: where that is in the container.
        env: the container's environment.
    """
    first = {
        "name": "first",
        "image": image,
        "command": ["bash", "-c", before],
        "workingDir": "/given",
        "volumeMounts": [{"name": "given", "mountPath": "/given"}],
    }
    container: dict[str, Any] = {
        "name": "alone",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
        "volumeMounts": [{"name": "given", "mountPath": folder}],
    }
    spec = {
        "initContainers": [first],
        "containers": [container],
        "volumes": [{"name": "given", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 0,
    }
    await namespace.cluster.apply(
        namespace.name, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": spec}
    )

    async def ready() -> bool:
        pod = await namespace.cluster.api.get("pods", namespace.name, "alone") or {"status": {}}
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
        return conditions.get("Ready") == "True"

    # Packages are installed first, where some are named.
    await until(ready, "the image answers", within=180, story=namespace.story)


async def inside(namespace: Namespace, command: str) -> str:
    """Run a command in the container, as `docker exec` does."""
    return await namespace.cluster.kubectl(
        "exec", "alone", "--namespace", namespace.name, "--", "bash", "-c", command
    )


async def asked(namespace: Namespace, key: str) -> str:
    """Ask the server for a command's output with a key, and return the answer."""
    return await inside(namespace, _ASK.format(key=key, url="http://127.0.0.1:8000/execute"))


async def test_without_a_key_one_is_generated_and_printed_once(namespace: Namespace, image: str) -> None:
    await run(namespace, image)

    async def printed() -> list[str]:
        lines = (await namespace.cluster.pod_log(namespace.name, "alone")).splitlines()
        return [found[1] for line in lines if (found := re.fullmatch(r"API key: (\S{32,})", line))]

    (key,) = await until(printed, "the key is printed", story=namespace.story)
    assert '"stdout":"42\\n"' in await asked(namespace, key)
    assert "stdout" not in await asked(namespace, "another")
    assert (await namespace.cluster.pod_log(namespace.name, "alone")).count(key) == 1


async def test_the_key_in_the_environment_holds_and_is_printed_nowhere(
    namespace: Namespace, image: str
) -> None:
    await run(namespace, image, OPEN_TERMINAL_API_KEY=KEY)
    assert '"stdout":"42\\n"' in await asked(namespace, KEY)
    log = await namespace.cluster.pod_log(namespace.name, "alone")
    assert KEY not in log
    assert "API key" not in log


async def test_the_home_is_the_users_so_that_a_new_volume_is_too(namespace: Namespace, image: str) -> None:
    await run(namespace, image)
    # Docker gives a new volume the owner, the mode and the files that the image has there.
    assert await inside(namespace, "stat -c '%U %G %a' ~; id -un; ls -A ~") == (
        "user user 700\nuser\n.bash_logout\n.bashrc\n.profile\n"
    )


async def test_programs_read_the_locale_from_one_file(namespace: Namespace, image: str) -> None:
    await run(namespace, image)
    assert await inside(namespace, "echo $LANG; locale charmap; localedef --list-archive") == (
        "C.UTF-8\nUTF-8\nC.utf8\n"
    )


async def test_a_new_folder_of_the_hosts_becomes_the_users(namespace: Namespace, full_image: str) -> None:
    belongs_to_root = "sudo chown root:root /given && sudo chmod 755 /given"
    await run(namespace, full_image, before=belongs_to_root, folder="/home/user")
    assert (
        await inside(namespace, "stat -c %U ~; ls -A ~; touch ~/new")
        == "user\n.bash_logout\n.bashrc\n.profile\n"
    )


async def test_a_folder_with_something_in_it_is_left_alone(namespace: Namespace, full_image: str) -> None:
    closed = "touch something && sudo chown root:root /given && sudo chmod 700 /given"
    await run(namespace, full_image, before=closed, folder="/home/user")
    assert await inside(namespace, "stat -c %U ~") == "root\n"


async def test_where_privileges_may_be_gained_sudo_gives_them(namespace: Namespace, full_image: str) -> None:
    await run(namespace, full_image)
    assert await inside(namespace, "sudo id -un && sudo touch /usr/local/bin/new") == "root\n"


async def test_packages_named_in_the_environment_are_there_before_the_server(
    namespace: Namespace, full_image: str
) -> None:
    # A package that shows its whole environment, and fails.
    package = json.dumps({"name": "nosy", "version": "1.0.0", "scripts": {"install": "env; exit 1"}})
    nosy = f"mkdir nosy && echo {shlex.quote(package)} >nosy/package.json"
    await run(
        namespace,
        full_image,
        before=f"{make_wheels('tiny', '1', 'answer = 42')} && {nosy}",
        OPEN_TERMINAL_API_KEY=KEY,
        OPEN_TERMINAL_PIP_PACKAGES="--no-index /given/tiny-1-py3-none-any.whl",
        OPEN_TERMINAL_NPM_PACKAGES="--install-links /given/nosy",
    )
    assert await inside(namespace, "python3 -c 'import tiny; print(tiny.answer)'") == "42\n"
    assert '"stdout":"42\\n"' in await asked(namespace, KEY)
    log = await namespace.cluster.pod_log(namespace.name, "alone")
    assert "not done: npm install --global --install-links /given/nosy" in log
    assert "OPEN_TERMINAL_NPM_PACKAGES=--install-links /given/nosy" in log
    assert KEY not in log, "what is installed learns no key"
