"""The API server, spoken to directly: for what the tests look at often, where a program each time would be slow."""

import base64
import json
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Manifest = dict[str, Any]

_GROUPS = {
    "namespaces": "api/v1",
    "nodes": "api/v1",
    "pods": "api/v1",
    "secrets": "api/v1",
    "serviceaccounts": "api/v1",
    "services": "api/v1",
    "events": "api/v1",
    "persistentvolumeclaims": "api/v1",
    "persistentvolumes": "api/v1",
    "networkpolicies": "apis/networking.k8s.io/v1",
    "ingresses": "apis/networking.k8s.io/v1",
    "httproutes": "apis/gateway.networking.k8s.io/v1",
    "terminals": "apis/terminal-operator.dev/v1alpha1",
    "terminalclasses": "apis/terminal-operator.dev/v1alpha1",
}
CHILD_KINDS = (
    "secrets",
    "persistentvolumeclaims",
    "networkpolicies",
    "services",
    "pods",
    "httproutes",
    "ingresses",
)
# A person's tools have names of their own in the list of who manages which field.
FIELD_MANAGER = "e2e"


class ApiError(Exception):
    """The API server refused; the message is its own."""


class Api:
    """Reads and writes objects as plain dicts. Resources are named by their plural, `pods` for example."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def get(self, plural: str, namespace: str | None, name: str) -> Manifest | None:
        """Return an object, or None where there is none."""
        async with self._session.get(self._url(plural, namespace, name)) as answer:
            return None if answer.status == 404 else await _checked(answer)

    async def list(self, plural: str, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        """Return all objects of a kind, of one namespace or of all."""
        query = {"labelSelector": labels} if labels else {}
        async with self._session.get(self._url(plural, namespace), params=query) as answer:
            items: list[Manifest] = (await _checked(answer))["items"]
            return items

    async def create(self, plural: str, namespace: str | None, manifest: Manifest) -> Manifest:
        """Create an object."""
        url = self._url(plural, namespace)
        async with self._session.post(url, json=manifest, params={"fieldManager": FIELD_MANAGER}) as answer:
            return await _checked(answer)

    async def merge(self, plural: str, namespace: str | None, name: str, change: Manifest) -> Manifest:
        """Merge a change into an object, as `kubectl edit` would make it."""
        body, headers = json.dumps(change), {"Content-Type": "application/merge-patch+json"}
        url = self._url(plural, namespace, name)
        query = {"fieldManager": FIELD_MANAGER}
        async with self._session.patch(url, data=body, headers=headers, params=query) as answer:
            return await _checked(answer)

    async def delete(self, plural: str, namespace: str | None, name: str) -> None:
        """Delete an object, and do not wait for its end."""
        async with self._session.delete(self._url(plural, namespace, name)) as answer:
            if answer.status != 404:
                await _checked(answer)

    async def text(self, path: str) -> str:
        """Return what a path of the API server answers, such as a log or what is behind its proxy."""
        async with self._session.get(f"{self._server}/{path}") as answer:
            body = await answer.text()
            if answer.status >= 400:
                raise ApiError(f"{path}: {body}")
            return body

    async def watch(self, plural: str, namespace: str) -> AsyncIterator[Manifest]:
        """Yield every event of a kind in a namespace, from the objects that are there now onwards."""
        url, query = self._url(plural, namespace), {"watch": "true"}
        async with self._session.get(url, params=query, timeout=aiohttp.ClientTimeout()) as answer:
            buffer = b""
            async for chunk in answer.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def _url(self, plural: str, namespace: str | None, name: str | None = None) -> str:
        parts = [self._server, _GROUPS[plural]]
        if namespace is not None:
            parts += ["namespaces", namespace]
        return "/".join([*parts, plural, *([name] if name else [])])


async def _checked(answer: aiohttp.ClientResponse) -> Manifest:
    body: Manifest = await answer.json()
    if answer.status >= 400:
        raise ApiError(body.get("message", str(answer.status)))
    return body


@asynccontextmanager
async def connect() -> AsyncIterator[Api]:
    """Connect with the kubeconfig that KUBECONFIG names."""
    config = _kubeconfig()
    context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
    user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
    trust = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(_decoded(user["client-certificate-data"]) + "\n" + _decoded(user["client-key-data"]))
        file.flush()
        trust.load_cert_chain(file.name)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as session:
        yield Api(session, cluster["server"])


def _kubeconfig() -> Manifest:
    config: Manifest = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    return config


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
