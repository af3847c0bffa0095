"""Whether an object is as it should be.

What is wanted must be there, as wanted; what others added beside it (defaults of the API server, fields of other
controllers) is theirs and no difference.
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


def differs(desired: Any, observed: Any, *, field: str = "") -> bool:
    """Return whether anything of `desired` is missing or different in `observed`."""
    if isinstance(desired, dict):
        return not isinstance(observed, dict) or any(
            differs(value, observed.get(key), field=field if field in _AMOUNTS else key)
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        return not isinstance(observed, list) or _list_differs(desired, observed, field)
    if field in _AMOUNTS and desired is not None and observed is not None:
        return parse_quantity(desired) != parse_quantity(observed)
    return bool(desired != observed)


def _list_differs(desired: list[Any], observed: list[Any], field: str) -> bool:
    if field in _SETS:
        return any(all(differs(wanted, found) for found in observed) for wanted in desired)
    if (key := _MAPS.get(field)) is not None:
        found_by_key = {item.get(key): item for item in observed}
        return any(differs(item, found_by_key.get(item[key])) for item in desired)
    return len(desired) != len(observed) or any(
        differs(wanted, found, field=field) for wanted, found in zip(desired, observed, strict=True)
    )
