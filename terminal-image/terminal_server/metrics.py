"""Numbers about the server for Prometheus, on a port of their own, if there is one. Labels are bounded.

They need no key, and tell nothing of what is run: who may reach the port is the platform's to say.
"""

from typing import TYPE_CHECKING

from terminal_server.services import Services

if TYPE_CHECKING:
    from aiohttp import web

    from terminal_server.middleware.observe import Seen

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 300)


class Metrics:
    """Counts, and serves the counts."""

    def __init__(self, services: Services) -> None:
        # Imported late: most servers have no port for this.
        from prometheus_client import (  # noqa: PLC0415
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            ProcessCollector,
        )

        self._runner: web.AppRunner | None = None
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "terminal_server_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "terminal_server_request_seconds",
            "Time until a request had ended.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        quiet = Gauge(
            "terminal_server_quiet_seconds",
            "How long nothing has happened; 0 while something goes on.",
            registry=self._registry,
        )
        quiet.set_function(lambda: services.activity.state().quiet_seconds)

    def count_request(self, seen: "Seen") -> None:
        """Count a request that has ended."""
        method = seen.method if seen.method in _METHODS else "other"
        self._requests.labels(method, seen.route or "none", str(seen.status)).inc()
        self._seconds.labels(seen.route or "none").observe(seen.seconds)

    async def start(self, host: str, port: int) -> None:
        """Serve `/metrics`.

        Raises:
            OSError: the port is taken.
        """
        from aiohttp import web  # noqa: PLC0415
        from prometheus_client import generate_latest  # noqa: PLC0415
        from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: PLC0415

        async def metrics(_: web.Request) -> web.Response:
            headers = {"Content-Type": CONTENT_TYPE_LATEST}
            return web.Response(body=generate_latest(self._registry), headers=headers)

        application = web.Application()
        application.router.add_get("/metrics", metrics)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def stop(self) -> None:
        """Serve no more."""
        if self._runner is not None:
            await self._runner.cleanup()
