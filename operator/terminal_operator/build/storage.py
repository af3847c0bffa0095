"""The home volume's claim."""

from terminal_operator.api.models import Terminal
from terminal_operator.build.metadata import Manifest, child_metadata, names_of
from terminal_operator.build.spec import EffectiveSpec


def build_home_claim(terminal: Terminal, spec: EffectiveSpec) -> Manifest:
    """Return the PersistentVolumeClaim of the home directory, mounted by one node at a time."""
    claim: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": spec.storage_size}},
    }
    if spec.storage_class_name is not None:
        claim["storageClassName"] = spec.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": child_metadata(terminal, names_of(terminal).home_claim),
        "spec": claim,
    }
