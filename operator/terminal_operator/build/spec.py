"""What a Terminal really gets: its own wishes laid over its class's defaults."""

from dataclasses import dataclass

from terminal_operator.api.models import (
    EnvVar,
    LocalObjectReference,
    Network,
    Quantities,
    Terminal,
    TerminalClass,
)
from terminal_operator.api.quantity import parse_quantity

DEFAULT_STORAGE_SIZE = "1Gi"


@dataclass(frozen=True)
class EffectiveSpec:
    """One Terminal's settings after its class's defaults are filled in."""

    image: str
    image_pull_policy: str | None
    image_pull_secrets: tuple[LocalObjectReference, ...]
    requests: dict[str, str]
    limits: dict[str, str]
    storage_size: str
    storage_class_name: str | None
    env: tuple[EnvVar, ...]
    network: Network


def effective_spec(terminal: Terminal, terminal_class: TerminalClass) -> EffectiveSpec:
    """Lay the Terminal's wishes over the class's defaults, field by field."""
    wished, default = terminal.spec, terminal_class.spec
    limits = _over(default.resources.limits, wished.resources.limits if wished.resources else None)
    requests = _over(default.resources.requests, wished.resources.requests if wished.resources else None)
    asked = wished.resources.requests.given() if wished.resources else {}
    storage = wished.storage
    env = {variable.name: variable for variable in (*default.env, *(wished.env or ()))}
    return EffectiveSpec(
        image=wished.image or default.image,
        image_pull_policy=default.image_pull_policy,
        image_pull_secrets=default.image_pull_secrets,
        requests={key: _request(key, value, limits, asked) for key, value in requests.items()},
        limits=limits,
        storage_size=str((storage and storage.size) or default.storage.size or DEFAULT_STORAGE_SIZE),
        storage_class_name=(storage and storage.storage_class_name) or default.storage.storage_class_name,
        env=tuple(env.values()),
        network=wished.network or default.network,
    )


def _over(default: Quantities, wished: Quantities | None) -> dict[str, str]:
    return {**default.given(), **(wished.given() if wished else {})}


def _request(key: str, value: str, limits: dict[str, str], asked: dict[str, str]) -> str:
    """Lower a class's default request to a limit the Terminal set below it; what was asked for stands."""
    limit = limits.get(key)
    if key not in asked and limit is not None and parse_quantity(value) > parse_quantity(limit):
        return limit
    return value
