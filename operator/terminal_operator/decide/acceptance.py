"""Whether a Terminal is within what its class allows.

A chain of small checks, each answering with a violation or None: a new rule is a new function in the list.
"""

from collections.abc import Callable
from typing import NamedTuple

from terminal_operator.api.models import Quantities, Terminal, TerminalClass
from terminal_operator.api.quantity import parse_quantity
from terminal_operator.build.spec import effective_spec


class Violation(NamedTuple):
    """A rule that a Terminal breaks: a word for programs, and the field and the rule for people."""

    reason: str
    message: str


def find_violation(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    """Return the first rule of the class that the Terminal breaks, or None where it is accepted."""
    for check in _CHECKS:
        violation = check(terminal, terminal_class)
        if violation is not None:
            return violation
    return None


def _overridable(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    for field in ("image", "resources", "storage", "env", "network"):
        if getattr(terminal.spec, field) is not None and field not in terminal_class.spec.overridable:
            allowed = ", ".join(terminal_class.spec.overridable) or "nothing"
            return Violation(
                "FieldNotOverridable",
                f"spec.{field} may not be set: class {terminal_class.name} lets a Terminal set {allowed}",
            )
    return None


def _image(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    image, allowed = terminal.spec.image, terminal_class.spec.allowed_images
    if image is None or image == terminal_class.spec.image or any(_matches(image, each) for each in allowed):
        return None
    return Violation(
        "ImageNotAllowed",
        f"spec.image {image} is not one that class {terminal_class.name} allows:"
        f" {', '.join((terminal_class.spec.image, *allowed))}",
    )


def _matches(image: str, pattern: str) -> bool:
    return image.startswith(pattern[:-1]) if pattern.endswith("*") else image == pattern


def _resources(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    asked = terminal.spec.resources
    if asked is None:
        return None
    for field, amounts in (("requests", asked.requests), ("limits", asked.limits)):
        violation = _over(f"spec.resources.{field}", amounts, terminal_class)
        if violation is not None:
            return violation
    return None


def _over(path: str, amounts: Quantities, terminal_class: TerminalClass) -> Violation | None:
    most = terminal_class.spec.max_resources.given()
    for resource, amount in amounts.given().items():
        if resource in most and parse_quantity(amount) > parse_quantity(most[resource]):
            return Violation(
                "LimitExceeded",
                f"{path}.{resource} {amount} is over the {most[resource]} that class"
                f" {terminal_class.name} allows",
            )
    return None


def _requests_within_limits(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    spec = effective_spec(terminal, terminal_class)
    for resource, amount in spec.requests.items():
        limit = spec.limits.get(resource)
        if limit is not None and parse_quantity(amount) > parse_quantity(limit):
            return Violation(
                "RequestOverLimit",
                f"spec.resources.requests.{resource} {amount} is over the limit {limit}",
            )
    return None


def _storage(terminal: Terminal, terminal_class: TerminalClass) -> Violation | None:
    storage, most = terminal.spec.storage, terminal_class.spec.max_storage
    if storage is None or storage.size is None or most is None:
        return None
    if parse_quantity(storage.size) <= parse_quantity(most):
        return None
    return Violation(
        "LimitExceeded",
        f"spec.storage.size {storage.size} is over the {most} that class {terminal_class.name} allows",
    )


_CHECKS: tuple[Callable[[Terminal, TerminalClass], Violation | None], ...] = (
    _overridable,
    _image,
    _resources,
    _requests_within_limits,
    _storage,
)
