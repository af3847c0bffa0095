"""Every setting of the operator, in one documented model, read from one YAML file.

The chart's ``settings`` value is this model's shape; a test holds the two and the documentation together.
"""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


def _origin(text: str) -> str:
    """Check that an address is scheme, host and port, and nothing else."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https URL with a host, such as https://terminals.example.com")
    address = text.rstrip("/").lower()
    plain = parts.hostname if ":" not in parts.hostname else f"[{parts.hostname}]"
    rest = address.removeprefix(f"{parts.scheme}://")
    if rest not in {plain, f"{plain}:{parts.port}"} or parts.port == 0:
        raise ValueError("must be scheme, host and port only, such as https://terminals.example.com:8443")
    return address


def _cidr(text: str) -> str:
    return str(ip_network(text))


Cidr = Annotated[str, AfterValidator(_cidr)]
Origin = Annotated[str, AfterValidator(_origin)]


class SettingsModel(BaseModel):
    """Frozen, camelCase in the file, and closed: a misspelt setting is an error that names it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class GatewaySettings(SettingsModel):
    """The Gateway that HTTPRoutes attach to."""

    name: str = "traefik-gateway"
    """Name of the Gateway."""
    namespace: str = "traefik"
    """Namespace of the Gateway."""
    section_name: str = ""
    """Listener of the Gateway; empty: every listener that admits the route."""


class IngressSettings(SettingsModel):
    """How Ingresses are made where there is no Gateway API."""

    class_name: str = ""
    """IngressClass; empty: the cluster's default."""
    annotations: dict[str, str] = {}
    """Annotations of every Ingress, for the controller in use."""
    tls_secret_name: str = ""
    """Secret with the certificate of the host; empty: the Ingress names none."""


class RoutingSettings(SettingsModel):
    """How a user's URL reaches the user's pod."""

    type: Literal["Gateway", "Ingress", "None"] = "Gateway"
    """Gateway: an HTTPRoute per Terminal. Ingress: an Ingress per Terminal. None: the Service only."""
    mode: Literal["Path", "Host"] = "Path"
    """Path: BASE/t/NAMESPACE/NAME. Host: NAME-NAMESPACE.HOST, an own browser origin for every user."""
    base_url: Origin = "http://localhost:8080"
    """Where users reach the ingress controller or Gateway: scheme, host and port. In Host mode the host's parent."""
    allowed_origins: tuple[Origin, ...] = ()
    """Origins whose pages may call terminals: an Open WebUI's, as a user's own connection is made by the browser."""
    gateway: GatewaySettings = GatewaySettings()
    """The Gateway, for type Gateway."""
    ingress: IngressSettings = IngressSettings()
    """The Ingress, for type Ingress."""

    @model_validator(mode="after")
    def _host_mode_needs_a_name(self) -> Self:
        if self.mode == "Host" and self.host is None:
            raise ValueError(
                "baseUrl must have a host name, not an address, in mode Host: it is the parent of others"
            )
        return self

    @property
    def url(self) -> SplitResult:
        """The base URL in parts."""
        return urlsplit(self.base_url)

    @property
    def host(self) -> str | None:
        """The host that routes match, or None where the base URL has an address: a route cannot name one."""
        host = self.url.hostname or ""
        try:
            ip_address(host)
        except ValueError:
            return host
        return None


class NetworkSettings(SettingsModel):
    """Who may reach a terminal, and what no terminal may reach."""

    ingress_from: tuple[dict[str, Any], ...] = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}},
    )
    """NetworkPolicyPeers that may open connections to terminals: the ingress controller's pods."""
    dns: tuple[dict[str, Any], ...] = (
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        },
        {"ipBlock": {"cidr": "169.254.20.10/32"}},
    )
    """NetworkPolicyPeers that answer DNS: the cluster's resolver, and node-local DNS where there is one."""
    blocked_cidrs: tuple[Cidr, ...] = Field(default=(), alias="blockedCIDRs")
    """Networks no terminal may reach besides those that are never public, such as a cluster's public node range."""


class Settings(SettingsModel):
    """The operator's settings."""

    routing: RoutingSettings = RoutingSettings()
    """How a user's URL reaches the user's pod."""
    network: NetworkSettings = NetworkSettings()
    """Who may reach a terminal, and what no terminal may reach."""
    workers: int = Field(default=4, ge=1, le=64)
    """How many Terminals are reconciled at the same time."""
    resync_seconds: int = Field(default=300, ge=10)
    """How often the cache is compared with the API server, in case a watch lost a deletion."""
    lease_name: str = "terminal-operator"
    """The Lease, in the operator's namespace, that makes one replica the active one."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged."""
    log_format: Literal["json", "text"] = "json"
    """json: one object a line. text: for people."""


def load_settings(path: Path | None) -> Settings:
    """Read the settings file; without one, every setting has its default.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not YAML, or a setting is unknown or wrong; the message names it.
    """
    if path is None:
        return Settings()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    return Settings.model_validate(content or {})
