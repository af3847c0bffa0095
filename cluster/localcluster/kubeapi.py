"""Asks the API server small questions, as the administrator, without starting kubectl each time."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_OK = 200


class KubeApi:
    """The API server at one loopback port."""

    def __init__(self, pki: Path, port: int, *, timeout: float = 5.0) -> None:
        self._pki = pki
        self._port = port
        self._timeout = timeout
        self._context: ssl.SSLContext | None = None

    def get(self, path: str) -> Any:
        """The object at a path, or None if it is not there or the server does not answer."""
        body = self._read(path)
        return None if body is None else json.loads(body)

    def ready(self) -> bool:
        """Whether the server says it is ready to work."""
        return self._read("/readyz") is not None

    def node_ready(self, name: str) -> bool:
        """Whether a node is registered and Ready."""
        return _condition(self.get(f"/api/v1/nodes/{name}"), "Ready")

    def deployment_available(self, namespace: str, name: str) -> bool:
        """Whether a Deployment has its Pods ready."""
        return _condition(self.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"), "Available")

    def _read(self, path: str) -> bytes | None:
        try:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
                self._context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self._port, timeout=self._timeout, context=self._context
            )
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.read() if answer.status == _OK else None
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return None


def _condition(thing: dict[str, Any] | None, kind: str) -> bool:
    conditions = ((thing or {}).get("status") or {}).get("conditions") or []
    return any(item.get("type") == kind and item.get("status") == "True" for item in conditions)
