"""The kinds of object the operator reads and writes."""

from dataclasses import dataclass

from terminal_operator.api.group import API_VERSION


@dataclass(frozen=True)
class Kind:
    """One kind of object and where the API serves it."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Return the URL path of a collection, an object or a subresource.

        Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
        """
        parts = ["apis" if self.group else "api", *self.api_version.split("/")]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part is not None]
        return "/" + "/".join(parts)


TERMINAL = Kind(API_VERSION, "Terminal", "terminals")
TERMINAL_CLASS = Kind(API_VERSION, "TerminalClass", "terminalclasses", namespaced=False)

SECRET = Kind("v1", "Secret", "secrets")
CLAIM = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
INGRESS = Kind("networking.k8s.io/v1", "Ingress", "ingresses")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
EVENT = Kind("events.k8s.io/v1", "Event", "events")

ROUTES = (HTTP_ROUTE, INGRESS)
CHILDREN = (SECRET, CLAIM, NETWORK_POLICY, SERVICE, POD, *ROUTES)
WATCHED = (TERMINAL_CLASS, TERMINAL, *CHILDREN)

_BY_TYPE = {(kind.api_version, kind.name): kind for kind in (*WATCHED, EVENT)}


def kind_of(manifest: dict[str, object]) -> Kind:
    """Return the kind a manifest says it is.

    Raises:
        KeyError: it is none the operator knows.
    """
    return _BY_TYPE[str(manifest["apiVersion"]), str(manifest["kind"])]
