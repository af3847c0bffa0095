"""How the parts are held together: what the framework watches, the tasks beside it, and the port for probes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from terminal_operator.background import Background
from terminal_operator.controller.cache import Cache
from terminal_operator.controller.controller import Controller
from terminal_operator.handlers import make_framework_settings, make_registry
from terminal_operator.health import serve_health
from terminal_operator.kube.kinds import CHILDREN, WATCHED, kind_of

from tests.cluster_protocol.fake import FakeCluster
from tests.contract.running import free_port
from tests.unit.operator.making import terminal_body
from tests.unit.operator.test_controller import ScriptedReconciler

Main = Callable[[], Coroutine[Any, Any, None]]


async def nothing() -> None:
    return


async def forever() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise KeyError("nobody thought of this")


def a_controller(cache: Cache) -> Controller:
    reconciler: Any = ScriptedReconciler()
    return Controller(cluster=FakeCluster(), cache=cache, reconciler=reconciler, resync_seconds=300)


async def test_the_framework_watches_every_kind_and_hands_its_objects_over() -> None:
    cache = Cache()
    registry = make_registry(a_controller(cache), Background(last=nothing))
    handlers = list(registry._watching.get_all_handlers())  # noqa: SLF001 - it has no other way to ask
    assert sorted(str(handler.id) for handler in handlers) == sorted(
        f"observe-{kind.plural}" for kind in WATCHED
    )
    body = terminal_body()
    body["metadata"]["resourceVersion"] = "1"
    item = {name: value for name, value in body.items() if name not in {"apiVersion", "kind"}}
    (handler,) = (each for each in handlers if each.id == "observe-terminals")
    observe: Any = handler.fn
    await observe(event={"type": None, "object": item})
    (key,) = cache.terminals()
    assert kind_of(cache.terminal(key) or {}).name == "Terminal"


def test_the_framework_writes_nothing_and_reads_of_children_only_our_own() -> None:
    settings = make_framework_settings()
    assert settings.posting.enabled is False
    assert settings.peering.standalone is True
    chosen = {(each.group, each.version, each.any_name) for each in settings.watching.label_selectors}
    assert chosen == {(kind.group, kind.version, kind.plural) for kind in CHILDREN}


async def test_the_end_of_one_task_is_the_end_of_the_framework_and_its_error_is_raised() -> None:
    background = Background(forever, failing, last=nothing)
    await background.start()
    async with asyncio.timeout(5):
        await background.ended.wait()
    await background.stop()
    with pytest.raises(KeyError):
        background.raise_error()


async def test_when_the_framework_ends_all_tasks_end_and_then_comes_what_is_last() -> None:
    order: list[str] = []

    async def main() -> None:
        try:
            await forever()
        finally:
            order.append("main")

    async def last() -> None:
        order.append("last")

    background = Background(main, last=last)
    await background.start()
    await asyncio.sleep(0)
    await background.stop()
    assert order == ["main", "last"]
    background.raise_error()


async def test_alive_is_who_answers_and_ready_who_has_seen_everything() -> None:
    port = free_port()
    seen = False
    async with serve_health(ready=lambda: seen, port=port), aiohttp.ClientSession() as session:

        async def get(path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status, await response.text()

        assert await get("/healthz") == (200, "ok")
        assert (await get("/readyz"))[0] == 503
        seen = True
        assert await get("/readyz") == (200, "ok")
        status, text = await get("/metrics")
        assert status == 200
        assert "terminal_operator_api_requests_total" in text
