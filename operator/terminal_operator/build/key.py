"""The Secret with a Terminal's key.

Two fields: the key, for the user, and its SHA-256, for the pod. Only the hash is mounted, so that whatever runs
in the terminal (it has the server's own uid) can read what the server reads and still not learn the key. The key
has 256 random bits; nothing but the hash is needed to check it, and the hash gives nothing back.
"""

import base64
import hashlib

from terminal_operator.api.models import Terminal
from terminal_operator.build.metadata import (
    Manifest,
    bound_to,
    child_metadata,
    names_of,
    repair_labels,
)
from terminal_operator.names import KEY_FIELD, KEY_HASH_FIELD


def build_key_secret(terminal: Terminal, key: str) -> Manifest:
    """Return the Secret that holds a key made elsewhere; it is created once and never written again."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": child_metadata(terminal, names_of(terminal).key_secret),
        "data": {KEY_FIELD: _encode(key), KEY_HASH_FIELD: _encode(_hash(key))},
    }


def repair_key_secret(terminal: Terminal, observed: Manifest) -> Manifest | None:
    """Return what to merge into an existing key Secret, or None where nothing is missing.

    Never holds the key, so that no write of the operator's can change it; where a person put another one in, its
    hash follows. Where the key itself was emptied there is nothing to repair it from: see `key_is_lost`.
    """
    repair = repair_labels(terminal, observed)
    if key_is_lost(observed):
        return repair
    hashed = _encode(_hash(_key(observed)))
    if observed["data"].get(KEY_HASH_FIELD) != hashed:
        repair = repair or bound_to(observed)
        repair["data"] = {KEY_HASH_FIELD: hashed}
    return repair


def key_is_lost(observed: Manifest) -> bool:
    """Whether the Secret holds no key at all: it must be deleted to be made anew."""
    return not _key(observed)


def _key(observed: Manifest) -> str:
    return base64.b64decode((observed.get("data") or {}).get(KEY_FIELD, "")).decode(errors="replace").strip()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
