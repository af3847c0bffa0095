"""Every name the operator derives, in one place: children, labels, hosts, paths.

A Terminal's name is a DNS label of at most 50 characters (the CRD says so), so every name below is valid as it
stands and two Terminals of a namespace never share one.
"""

import base64
import hashlib
from dataclasses import dataclass

from terminal_operator.api.group import FIELD_MANAGER, MANAGED_BY_LABEL, TERMINAL_LABEL

_PREFIX = "terminal-"
_LABEL_LIMIT = 63
_HASH_LENGTH = 10

KEY_FIELD = "api-key"
KEY_HASH_FIELD = "api-key.sha256"


@dataclass(frozen=True)
class TerminalNames:
    """The names of one Terminal's children."""

    namespace: str
    terminal: str

    @property
    def base(self) -> str:
        """Pod, Service, NetworkPolicy and route share one name."""
        return f"{_PREFIX}{self.terminal}"

    @property
    def key_secret(self) -> str:
        """The Secret that holds the key."""
        return f"{_PREFIX}{self.terminal}-key"

    @property
    def home_claim(self) -> str:
        """The PersistentVolumeClaim of the home directory."""
        return f"{_PREFIX}{self.terminal}-home"

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every child."""
        return {
            "app.kubernetes.io/name": "terminal",
            "app.kubernetes.io/instance": self.terminal,
            MANAGED_BY_LABEL: FIELD_MANAGER,
            TERMINAL_LABEL: self.terminal,
        }

    @property
    def selector(self) -> dict[str, str]:
        """Labels that choose this Terminal's pod among all pods of its namespace."""
        return {MANAGED_BY_LABEL: FIELD_MANAGER, TERMINAL_LABEL: self.terminal}

    @property
    def path(self) -> str:
        """The path prefix in path mode."""
        return f"/t/{self.namespace}/{self.terminal}"

    @property
    def host_label(self) -> str:
        """The first label of the host in host mode: unique over all namespaces.

        ``NAME-NAMESPACE`` is ambiguous as soon as either contains a hyphen (a-b in c, a in b-c), so those get a
        hash of both: a plain label has exactly one hyphen, a hashed one at least two, and the two never meet.
        """
        plain = f"{self.terminal}-{self.namespace}"
        if "-" not in self.terminal and "-" not in self.namespace and len(plain) <= _LABEL_LIMIT:
            return plain
        digest = hashlib.sha256(f"{self.namespace}/{self.terminal}".encode()).digest()
        suffix = base64.b32encode(digest).decode().lower()[:_HASH_LENGTH]
        head = plain[: _LABEL_LIMIT - _HASH_LENGTH - 1].rstrip("-")
        return f"{head}-{suffix}"
