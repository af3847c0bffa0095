"""All of a Terminal's children in one place."""

from dataclasses import dataclass

from terminal_operator.api.models import Terminal, TerminalClass
from terminal_operator.build.metadata import Manifest
from terminal_operator.build.network import build_network_policy, build_service
from terminal_operator.build.pod import ServerSettings, build_pod
from terminal_operator.build.routes import build_route, terminal_url
from terminal_operator.build.spec import effective_spec
from terminal_operator.build.storage import build_home_claim
from terminal_operator.settings import Settings


@dataclass(frozen=True)
class TerminalObjects:
    """Everything a Terminal consists of, but its key: that is random, made once, and never built again."""

    url: str
    home_claim: Manifest
    network_policy: Manifest
    service: Manifest
    pod: Manifest
    route: Manifest | None


def build_terminal(terminal: Terminal, terminal_class: TerminalClass, settings: Settings) -> TerminalObjects:
    """Return every child that an accepted Terminal must have."""
    spec = effective_spec(terminal, terminal_class)
    url = terminal_url(terminal, settings.routing)
    return TerminalObjects(
        url=url,
        home_claim=build_home_claim(terminal, spec),
        network_policy=build_network_policy(terminal, spec, settings.network),
        service=build_service(terminal),
        pod=build_pod(terminal, terminal_class, spec, ServerSettings(url, settings.routing.allowed_origins)),
        route=build_route(terminal, settings.routing),
    )
