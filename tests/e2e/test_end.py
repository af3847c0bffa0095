"""The end of a Terminal, and of pods that will not start."""

from tests.e2e.kit.namespace import Namespace
from tests.e2e.kit.terminal import children_in
from tests.e2e.kit.terminalclass import default_class, new_class
from tests.e2e.kit.waiting import until


async def test_a_deleted_terminal_leaves_nothing(namespace: Namespace) -> None:
    cluster = namespace.cluster
    alice, shell = await namespace.start("alice")
    volume = (await alice.child("persistentvolumeclaims"))["spec"]["volumeName"]
    assert len(await children_in(cluster, namespace.name)) == 6
    await cluster.kubectl("delete", "terminal", "alice", "--namespace", namespace.name)

    async def nothing_left() -> bool:
        return not await children_in(cluster, namespace.name)

    await until(nothing_left, "no child is left", story=namespace.story)
    await cluster.gone("persistentvolumes", None, volume)

    async def not_routed() -> bool:
        return (await shell.ask("/health")).status == 404

    await until(not_routed, "the URL leads nowhere", story=namespace.story)


async def test_a_terminal_made_again_has_another_key_and_an_empty_home(namespace: Namespace) -> None:
    alice, shell = await namespace.start("alice")
    await shell.output("echo mine > file")
    await namespace.cluster.kubectl(
        "delete", "terminal", "alice", "--namespace", namespace.name, "--wait=false"
    )
    await namespace.cluster.gone("terminals", namespace.name, "alice")
    again, new_shell = await namespace.start("alice")
    assert new_shell.key != shell.key
    assert await new_shell.output("ls") == ""
    assert (await shell.ask("/execute", "POST", json={"command": "id"})).status == 401
    assert again == alice


async def test_an_image_that_cannot_be_pulled_is_told_in_the_kubelets_words_and_can_be_put_right(
    namespace: Namespace,
) -> None:
    cluster = namespace.cluster
    default = await default_class(cluster)
    async with new_class(
        cluster, f"any-{namespace.name}", overridable=["image"], allowedImages=["localhost/*"]
    ) as name:
        alice = await namespace.apply("alice", className=name, image="localhost/no-such:1")

        async def told() -> bool:
            ready = await alice.condition("Ready")
            return (
                ready.get("reason") in {"ErrImagePull", "ImagePullBackOff"} and "no-such" in ready["message"]
            )

        await until(told, "the condition has the kubelet's reason", story=alice.story)
        await namespace.apply("alice", className=name, image=default["spec"]["image"])
        assert (await (await alice.until_ready()).execute("true")).exit_code == 0
