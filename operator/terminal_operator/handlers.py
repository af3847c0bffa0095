"""What the framework watches for us: decorate, hand over, return."""

from typing import Any

import kopf

from terminal_operator.background import Background
from terminal_operator.controller.controller import Controller, selector_of
from terminal_operator.kube.kinds import WATCHED, Kind


def make_registry(controller: Controller, background: Background) -> kopf.OperatorRegistry:
    """Return handlers that pass every event of every watched kind to the controller.

    Only `on.event` is used: the framework's state-tracking handlers write annotations and finalizers of their own.
    """
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    kopf.on.startup(registry=registry)(background.start)
    kopf.on.cleanup(registry=registry)(background.stop)
    for kind in WATCHED:
        _watch(registry, controller, kind)
    return registry


def make_framework_settings() -> kopf.OperatorSettings:
    """Return the framework's settings: server-side selectors, no Events of its own, silent watches noticed."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.watching.server_timeout = 240
    settings.watching.connect_timeout = 10
    # A first list of ten thousand pods at once is tens of megabytes here and in the API server.
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    # Handlers only hand over: there is nothing to wait for when the operator ends.
    settings.queueing.exit_timeout = 0.1
    settings.queueing.idle_timeout = 1
    for kind in WATCHED:
        if selector := selector_of(kind):
            settings.watching.label_selectors[kind.group, kind.version, kind.plural] = selector
    return settings


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in as the pod's service account, else by the current kubeconfig; asked again when a token expires."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


def _watch(registry: kopf.OperatorRegistry, controller: Controller, kind: Kind) -> None:
    @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=f"observe-{kind.plural}")
    async def observe(event: kopf.RawEvent, **_: Any) -> None:
        # Items of a list lack what they all share.
        manifest = {"apiVersion": kind.api_version, "kind": kind.name, **event["object"]}
        controller.observe(event["type"], manifest)
