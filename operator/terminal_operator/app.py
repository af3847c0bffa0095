"""Wires the operator together and runs it."""

import logging
import os
import socket

import kopf

from terminal_operator import __version__
from terminal_operator.background import Background
from terminal_operator.controller.cache import Cache
from terminal_operator.controller.controller import Controller
from terminal_operator.controller.reconcile import Reconciler
from terminal_operator.handlers import make_framework_settings, make_registry
from terminal_operator.health import PORT, serve_health
from terminal_operator.kube.client import KubernetesCluster, connect
from terminal_operator.kube.events import KubernetesEvents
from terminal_operator.kube.lease import lead, make_lock
from terminal_operator.metrics import LEADER
from terminal_operator.settings import Settings

logger = logging.getLogger(__name__)


async def run_operator(settings: Settings, *, health_port: int = PORT) -> None:
    """Run until a signal ends the process or the lease is lost."""
    identity = os.environ.get("POD_NAME") or socket.gethostname()
    namespace = os.environ.get("POD_NAMESPACE") or "default"
    client = await connect()
    try:
        cluster, cache = KubernetesCluster(client), Cache()
        controller = Controller(
            cluster=cluster,
            cache=cache,
            reconciler=Reconciler(
                cluster=cluster,
                cache=cache,
                settings=settings,
                events=KubernetesEvents(cluster, reporter=identity),
            ),
            resync_seconds=settings.resync_seconds,
        )
        lock = make_lock(client, name=settings.lease_name, namespace=namespace, identity=identity)

        async def candidate() -> None:
            await lead(lock, lambda: _work(controller, settings.workers))
            # Somebody else leads, or nobody knows: a fresh process starts from what is, not from what was.
            raise RuntimeError("the lease was lost")

        background = Background(controller.keep_in_step, candidate, last=lock.release)
        logger.info("starting", extra={"version": __version__, "identity": identity})
        async with serve_health(ready=lambda: controller.synced, port=health_port):
            await kopf.operator(
                registry=make_registry(controller, background),
                settings=make_framework_settings(),
                standalone=True,
                clusterwide=True,
                stop_flag=background.ended,
            )
        background.raise_error()
    finally:
        await client.close()


async def _work(controller: Controller, workers: int) -> None:
    LEADER.set(1)
    logger.info("leading")
    try:
        await controller.work(workers)
    finally:
        LEADER.set(0)
