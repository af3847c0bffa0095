"""Whether an object is as it should be.

What is wanted must be there, as wanted; what others added beside it (defaults of the API server, fields of other
controllers) is theirs and no difference, except where an addition would change what the wanted means.
"""

from typing import Any

from terminal_operator.api.quantity import parse_quantity

# Fields that hold amounts, which the API server prints by its own rules.
_AMOUNTS = frozenset({"requests", "limits", "sizeLimit"})
# Lists that others may add to, and what tells their items apart. Every other list is replaced as a whole by the
# API server, and is compared so. Source: x-kubernetes-list-type in the API's own OpenAPI document.
_MAPS = {
    "containers": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
# Lists that admission adds to, without keys: what is wanted must be among what is there.
_SETS = frozenset({"tolerations"})
# Fields in which nothing may be added: one label more and a Service finds no pod, or a policy none to isolate; a
# port more opens it; a filter more sends requests, keys and all, to somebody else.
_WHOLE = frozenset({"selector", "podSelector", "ingress", "egress", "rules"})

# What the API server leaves out.
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def differs(desired: Any, observed: Any, *, field: str = "") -> bool:
    """Return whether anything of `desired` is missing or different in `observed`."""
    if desired in _EMPTY and observed in _EMPTY:
        return False
    if field in _WHOLE:
        return differs(desired, observed) or differs(observed, desired)
    if isinstance(desired, dict):
        return not isinstance(observed, dict) or any(
            differs(value, observed.get(key), field=field if field in _AMOUNTS else key)
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        return not isinstance(observed, list) or _list_differs(desired, observed, field)
    return bool(desired != observed) and not (field in _AMOUNTS and _same_amount(desired, observed))


def _same_amount(desired: Any, observed: Any) -> bool:
    try:
        return parse_quantity(desired) == parse_quantity(observed)
    except ValueError:
        return False  # a field of that name that holds something else


def _list_differs(desired: list[Any], observed: list[Any], field: str) -> bool:
    if field in _SETS:
        return any(all(differs(wanted, found) for found in observed) for wanted in desired)
    if (key := _MAPS.get(field)) is not None:
        found_by_key = {item.get(key): item for item in observed}
        return any(differs(item, found_by_key.get(item[key])) for item in desired)
    return len(desired) != len(observed) or any(
        differs(wanted, found, field=field) for wanted, found in zip(desired, observed, strict=True)
    )
