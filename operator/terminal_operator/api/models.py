"""Terminal and TerminalClass as typed, frozen models, parsed once at the edge.

The CRDs in ``crds/`` are the one source of truth for what is valid; these models mirror their shape (a test
holds the two together) and refuse what they do not know, so that a newer CRD is never half understood.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from terminal_operator.api.quantity import parse_quantity


def _quantity(value: str | int) -> str:
    parse_quantity(value)
    return str(value)


Quantity = Annotated[str | int, AfterValidator(_quantity)]
Egress = Literal["Internet", "None", "Custom"]
OverridableField = Literal["image", "resources", "storage", "env", "network"]


class ApiModel(BaseModel):
    """Frozen, camelCase on the wire, and closed: an unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Quantities(ApiModel):
    """Amounts of the resources a terminal is bounded in; None means not given."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = Field(default=None, alias="ephemeral-storage")

    def given(self) -> dict[str, str]:
        """Return the amounts that are set, by their Kubernetes resource name."""
        return {key: str(value) for key, value in self.model_dump(by_alias=True, exclude_none=True).items()}


class Resources(ApiModel):
    """What is reserved (requests) and what is the most (limits)."""

    requests: Quantities = Quantities()
    limits: Quantities = Quantities()


class Storage(ApiModel):
    """The home volume."""

    size: Quantity | None = None
    storage_class_name: str | None = None


class SecretKeyRef(ApiModel):
    """One key of a Secret in the Terminal's namespace."""

    name: str
    key: str
    optional: bool | None = None


class EnvVarSource(ApiModel):
    """Where a variable's value comes from."""

    secret_key_ref: SecretKeyRef


class EnvVar(ApiModel):
    """One environment variable: a value, or a reference to one."""

    name: str
    value: str | None = None
    value_from: EnvVarSource | None = None


class EgressRule(ApiModel):
    """A network a terminal may reach; no ports means every port and protocol."""

    cidr: str
    ports: tuple[int, ...] = ()


class Network(ApiModel):
    """What a terminal may reach."""

    egress: Egress | None = None
    allow: tuple[EgressRule, ...] = ()


class LocalObjectReference(ApiModel):
    """The name of an object in the same namespace."""

    name: str


class TerminalSpec(ApiModel):
    """What a user asks for."""

    user: str
    class_name: str | None = None
    image: str | None = None
    resources: Resources | None = None
    storage: Storage | None = None
    env: tuple[EnvVar, ...] | None = None
    network: Network | None = None


class TerminalClassSpec(ApiModel):
    """What the platform team allows, and what a Terminal gets that asks for nothing."""

    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    allowed_images: tuple[str, ...] = ()
    resources: Resources = Resources()
    max_resources: Quantities = Quantities()
    storage: Storage = Storage()
    max_storage: Quantity | None = None
    env: tuple[EnvVar, ...] = ()
    network: Network = Network()
    overridable: tuple[OverridableField, ...] = ("resources", "storage", "env")
    runtime_class_name: str | None = None
    priority_class_name: str | None = None
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()


class Terminal(ApiModel):
    """A Terminal as the API server holds it: identity and what is asked for."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool
    spec: TerminalSpec


class TerminalClass(ApiModel):
    """A TerminalClass by name."""

    name: str
    spec: TerminalClassSpec


def parse_terminal(body: dict[str, Any]) -> Terminal:
    """Parse a Terminal as the API server returns it.

    Raises:
        pydantic.ValidationError: naming the field and the rule.
    """
    metadata = body["metadata"]
    return Terminal(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        deleting="deletionTimestamp" in metadata,
        spec=TerminalSpec.model_validate(body.get("spec", {})),
    )


def parse_class(body: dict[str, Any]) -> TerminalClass:
    """Parse a TerminalClass as the API server returns it.

    Raises:
        pydantic.ValidationError: naming the field and the rule.
    """
    return TerminalClass(
        name=body["metadata"]["name"], spec=TerminalClassSpec.model_validate(body.get("spec", {}))
    )
