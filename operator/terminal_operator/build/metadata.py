"""Metadata that every child of a Terminal has: its name, its labels, its one owner."""

from typing import Any

from terminal_operator.api.group import API_VERSION
from terminal_operator.api.models import Terminal
from terminal_operator.names import TerminalNames

Manifest = dict[str, Any]


def names_of(terminal: Terminal) -> TerminalNames:
    """Return the names of a Terminal's children."""
    return TerminalNames(terminal.namespace, terminal.name)


def child_metadata(terminal: Terminal, name: str) -> Manifest:
    """Metadata of a child: the garbage collector removes it with its owner.

    Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
    """
    return {
        "name": name,
        "namespace": terminal.namespace,
        "labels": names_of(terminal).labels,
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": "Terminal",
                "name": terminal.name,
                "uid": terminal.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def repair_labels(terminal: Terminal, observed: Manifest) -> Manifest | None:
    """Return what to merge into exactly this version of a child for it to have its labels, None where it has."""
    labels = observed["metadata"].get("labels") or {}
    missing = {name: value for name, value in names_of(terminal).labels.items() if labels.get(name) != value}
    if not missing:
        return None
    repair = bound_to(observed)
    repair["metadata"]["labels"] = missing
    return repair


def bound_to(observed: Manifest) -> Manifest:
    """Return the beginning of a merge into exactly this version of an object: into any other it is a conflict."""
    metadata = observed["metadata"]
    return {
        "apiVersion": observed["apiVersion"],
        "kind": observed["kind"],
        "metadata": {field: metadata[field] for field in ("namespace", "name", "uid", "resourceVersion")},
    }
