"""A Terminal's URL, and the HTTPRoute or Ingress that makes it answer.

Hosts and paths are computed from namespace and name alone: nothing a user writes gets into a route. The routes
rewrite nothing, because not every controller can: the server strips the prefix of its own URL.
"""

from typing import Any

from terminal_operator.api.models import Terminal
from terminal_operator.build.metadata import Manifest, child_metadata, names_of
from terminal_operator.build.network import PORT, PORT_NAME
from terminal_operator.settings import RoutingSettings

HTTP_ROUTE = ("gateway.networking.k8s.io/v1", "HTTPRoute")
INGRESS = ("networking.k8s.io/v1", "Ingress")


def terminal_url(terminal: Terminal, settings: RoutingSettings) -> str:
    """Return where the Terminal's tool server answers, without a slash at the end."""
    if settings.mode == "Path":
        return f"{settings.base_url}{names_of(terminal).path}"
    port = f":{settings.url.port}" if settings.url.port is not None else ""
    return f"{settings.url.scheme}://{_host(terminal, settings)}{port}"


def build_route(terminal: Terminal, settings: RoutingSettings) -> Manifest | None:
    """Return the route of the configured type, or None where there is none."""
    match settings.type:
        case "Gateway":
            return _http_route(terminal, settings)
        case "Ingress":
            return _ingress(terminal, settings)
        case _:
            return None


def _host(terminal: Terminal, settings: RoutingSettings) -> str | None:
    if settings.mode == "Path":
        return settings.host
    return f"{names_of(terminal).host_label}.{settings.url.hostname}"


def _path(terminal: Terminal, settings: RoutingSettings) -> str:
    return names_of(terminal).path if settings.mode == "Path" else "/"


def _http_route(terminal: Terminal, settings: RoutingSettings) -> Manifest:
    gateway = settings.gateway
    # Defaults that the API server would add are spelt out, so that the route can be compared as it is.
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
    }
    if gateway.section_name:
        parent["sectionName"] = gateway.section_name
    spec: dict[str, Any] = {
        "parentRefs": [parent],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": _path(terminal, settings)}}],
                "backendRefs": [
                    {
                        "group": "",
                        "kind": "Service",
                        "name": names_of(terminal).base,
                        "port": PORT,
                        "weight": 1,
                    }
                ],
            }
        ],
    }
    if host := _host(terminal, settings):
        spec["hostnames"] = [host]
    return {
        "apiVersion": HTTP_ROUTE[0],
        "kind": HTTP_ROUTE[1],
        "metadata": child_metadata(terminal, names_of(terminal).base),
        "spec": spec,
    }


def _ingress(terminal: Terminal, settings: RoutingSettings) -> Manifest:
    ingress = settings.ingress
    rule: Manifest = {
        "http": {
            "paths": [
                {
                    "path": _path(terminal, settings),
                    "pathType": "Prefix",
                    "backend": {
                        "service": {"name": names_of(terminal).base, "port": {"name": PORT_NAME}},
                    },
                }
            ]
        }
    }
    host = _host(terminal, settings)
    if host:
        rule["host"] = host
    spec: Manifest = {"rules": [rule]}
    if ingress.class_name:
        spec["ingressClassName"] = ingress.class_name
    if ingress.tls_secret_name:
        spec["tls"] = [{"secretName": ingress.tls_secret_name, **({"hosts": [host]} if host else {})}]
    metadata = child_metadata(terminal, names_of(terminal).base)
    if ingress.annotations:
        metadata["annotations"] = dict(ingress.annotations)
    return {"apiVersion": INGRESS[0], "kind": INGRESS[1], "metadata": metadata, "spec": spec}
