"""The Cluster protocol over the Kubernetes client's async transport.

Manifests are plain dicts both ways: the generated model classes would only be converted to and fro.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from terminal_operator.api.group import FIELD_MANAGER
from terminal_operator.kube.cluster import Listing, Manifest
from terminal_operator.kube.errors import (
    AlreadyExistsError,
    ClusterError,
    ConflictError,
    NotFoundError,
    RejectedError,
    RetryLaterError,
)
from terminal_operator.kube.kinds import Kind, kind_of
from terminal_operator.metrics import API_REQUESTS

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_TIMEOUT_SECONDS = 15.0
_PAGE = 500


async def connect() -> ApiClient:
    """Return a client for the cluster this process runs in, or else for the current kubeconfig."""
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException:
        await load_kube_config(client_configuration=configuration)
    return ApiClient(configuration)


class KubernetesCluster:
    """A real cluster."""

    def __init__(self, client: ApiClient, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._client = client
        self._timeout = timeout_seconds

    async def create(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        kind, namespace, name = _address(manifest)
        path = kind.path(namespace)
        return await self._request("POST", kind, path, name, body=manifest, query=_MANAGED)

    async def apply(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        kind, namespace, name = _address(manifest)
        await self._own_created_fields(kind, namespace, name)
        return await self._apply(manifest, kind.path(namespace, name))

    async def merge(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        kind, namespace, name = _address(manifest)
        path = kind.path(namespace, name)
        return await self._request(
            "PATCH", kind, path, name, body=manifest, query=_MANAGED, content_type=MERGE_PATCH
        )

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """See Cluster."""
        kind, namespace, name = _address(manifest)
        return await self._apply(manifest, kind.path(namespace, name, "status"))

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See Cluster."""
        try:
            return await self._request("GET", kind, kind.path(namespace, name), name)
        except NotFoundError:
            return None

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """See Cluster."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        try:
            await self._request("DELETE", kind, kind.path(namespace, name), name, body=body)
        except (NotFoundError, ConflictError):
            return  # gone, or another object by now

    async def list(self, kind: Kind, label_selector: str) -> Listing:
        """See Cluster."""
        items: list[Manifest] = []
        query = {"limit": str(_PAGE)}
        if label_selector:
            query["labelSelector"] = label_selector
        while True:
            try:
                page = await self._request("GET", kind, kind.path(), "", query=query)
            except NotFoundError:
                return Listing([], "0")
            # A list leaves out what all its items share.
            items += [{"apiVersion": kind.api_version, "kind": kind.name, **item} for item in page["items"]]
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return Listing(items, page["metadata"]["resourceVersion"])

    async def _apply(self, manifest: Manifest, path: str) -> Manifest:
        kind, _, name = _address(manifest)
        query = {**_MANAGED, "force": "true"}
        return await self._request("PATCH", kind, path, name, body=manifest, query=query, content_type=APPLY)

    async def _own_created_fields(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Turn the ownership that a POST left into that of an apply, so that an apply can also remove fields.

        Objects are created with POST, because only that never overwrites a stranger's object of the same name.
        The API server then holds their fields as this manager's *updates*, which no later apply would remove.
        Source: https://pkg.go.dev/k8s.io/client-go/util/csaupgrade
        """
        path = kind.path(namespace, name)
        live = await self._request("GET", kind, path, name)
        fields = live["metadata"].get("managedFields", [])
        if not any(_is_own(entry, "Update") for entry in fields) or any(
            _is_own(entry, "Apply") for entry in fields
        ):
            return
        owned = [{**entry, "operation": "Apply"} if _is_own(entry, "Update") else entry for entry in fields]
        # Replaced with itself, a resource version that is no longer the object's makes the answer a conflict.
        version = live["metadata"]["resourceVersion"]
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": owned},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]
        await self._request("PATCH", kind, path, name, body=patch, content_type=JSON_PATCH)

    async def _request(
        self,
        method: str,
        kind: Kind,
        path: str,
        name: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            async with asyncio.timeout(self._timeout):
                verb, url, headers, _, _ = await self._client.param_serialize(
                    method,
                    path,
                    query_params=list((query or {}).items()),
                    header_params=headers,
                    auth_settings=["BearerToken"],
                )
                response = await self._client.call_api(
                    verb, url, headers, body, _request_timeout=self._timeout
                )
                content = await response.read()
        except TimeoutError as error:
            API_REQUESTS.labels(method, kind.name, "timeout").inc()
            raise RetryLaterError(f"no answer to {method} within {self._timeout:g} s", kind.name) from error
        except (aiohttp.ClientError, OSError) as error:
            API_REQUESTS.labels(method, kind.name, "unreachable").inc()
            raise RetryLaterError(f"API server unreachable: {type(error).__name__}", kind.name) from error
        API_REQUESTS.labels(method, kind.name, str(response.status)).inc()
        if not 200 <= response.status < 300:  # noqa: PLR2004 - HTTP's own range of success
            raise _error(response.status, response.headers, content, kind, path, name)
        manifest = _parse(content)
        if not manifest:
            raise RetryLaterError(f"the answer to {method} is not JSON", kind.name)
        return manifest


_MANAGED = {"fieldManager": FIELD_MANAGER}


def _is_own(entry: Mapping[str, Any], operation: str) -> bool:
    """Whether fields are held by this manager through this operation, of the object itself."""
    held_by = entry.get("manager"), entry.get("operation"), entry.get("subresource", "")
    return held_by == (FIELD_MANAGER, operation, "")


def _address(manifest: Manifest) -> tuple[Kind, str | None, str]:
    metadata = manifest["metadata"]
    return kind_of(manifest), metadata.get("namespace"), metadata.get("name", "")


def _error(
    status: int, headers: Mapping[str, str], content: bytes, kind: Kind, path: str, name: str
) -> ClusterError:
    """Return the error that a response with a status other than success means."""
    answer = _parse(content)
    parts = path.split("/")
    where = {
        "kind": kind.name,
        "namespace": parts[parts.index("namespaces") + 1] if "namespaces" in parts else "",
        "name": name,
    }
    message = str(answer.get("message") or f"HTTP status {status}")
    match status:
        case 404:
            return NotFoundError(message, **where)
        case 409 if answer.get("reason") == "AlreadyExists":
            return AlreadyExistsError(message, **where)
        case 409:
            return ConflictError(message, **where)
        case 422 if _is_of_another_uid(answer):
            return ConflictError(message, **where)
        case 400 | 403 | 405 | 413 | 415 | 422:
            return RejectedError(message, **where)
        case _:
            return RetryLaterError(message, **where, after=_retry_after(headers))


def _is_of_another_uid(answer: Manifest) -> bool:
    """Whether the server refused because the object has been deleted and made anew: it calls that invalid."""
    causes = (answer.get("details") or {}).get("causes") or ()
    return any(cause.get("field") == "metadata.uid" for cause in causes)


def _parse(content: bytes) -> Manifest:
    """Return the JSON object that an answer is, empty where it is something else, a proxy's page for one."""
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0  # a date: the queue's own backoff will do
