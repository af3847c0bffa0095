"""Starts the parts of a server in their order, and stops them in the other."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from terminal_server.factory import make_idle_watch
from terminal_server.mcptools.endpoint import McpEndpoint
from terminal_server.metrics import Metrics
from terminal_server.services import Services


@asynccontextmanager
async def running(services: Services, metrics: Metrics | None, mcp: McpEndpoint) -> AsyncIterator[None]:
    """Have all of them run inside the block."""
    settings, lifecycle = services.settings, services.lifecycle
    for pool in (services.workers, services.starters):
        pool.start()
    asyncio.get_running_loop().set_default_executor(services.workers)
    await services.engine.start()
    services.commands.open()
    await services.files.start()
    idle = asyncio.create_task(make_idle_watch(services).run())
    if metrics is not None:
        await metrics.start(settings.host, settings.metrics_port)
        lifecycle.before_stop(metrics.stop)
    # Last, when whoever has something to say to its user has said it.
    lifecycle.before_stop(services.engine.close)
    lifecycle.before_stop(services.commands.close)
    # What is there now stays: looking for garbage in it would stop everything for a tenth of a second.
    gc.freeze()
    gc.enable()
    yield
    idle.cancel()
    await asyncio.gather(idle, return_exceptions=True)
    await lifecycle.stop()
    await services.notebooks.stop()
    await mcp.stop()
    await services.engine.stop()
    await services.upstream.close()
