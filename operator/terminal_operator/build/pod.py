"""The pod: the user's shell server, with nothing it does not need."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from terminal_operator.api.group import POD_TEMPLATE_ANNOTATION
from terminal_operator.api.models import Terminal, TerminalClass
from terminal_operator.build.metadata import Manifest, child_metadata, names_of
from terminal_operator.build.network import PORT, PORT_NAME
from terminal_operator.build.spec import EffectiveSpec
from terminal_operator.names import KEY_HASH_FIELD

CONTAINER = "terminal"
HOME = "/home/user"
USER_ID = 1000
KEY_DIRECTORY = "/run/secrets/terminal"
TMP_SIZE = "1Gi"


@dataclass(frozen=True)
class ServerSettings:
    """What the server in the pod is told about the world outside."""

    url: str
    allowed_origins: tuple[str, ...] = ()


def build_pod(
    terminal: Terminal, terminal_class: TerminalClass, spec: EffectiveSpec, server: ServerSettings
) -> Manifest:
    """Return the pod of a Terminal.

    Its spec's hash stands in an annotation: a pod is not changed in place, it is known to be out of date.
    """
    pod_spec = _pod_spec(terminal, terminal_class, spec, server)
    metadata = child_metadata(terminal, names_of(terminal).base)
    metadata["annotations"] = {POD_TEMPLATE_ANNOTATION: _digest(pod_spec)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec}


def _digest(pod_spec: Manifest) -> str:
    canonical = json.dumps(pod_spec, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _pod_spec(
    terminal: Terminal, terminal_class: TerminalClass, spec: EffectiveSpec, server: ServerSettings
) -> Manifest:
    platform = terminal_class.spec
    pod_spec: Manifest = {
        "containers": [_container(spec, server)],
        "volumes": _volumes(terminal),
        # A server that ends by itself, with 0, is meant to stay so; a crash is restarted by the kubelet.
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 10,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            # A large home is not walked at every start.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    optional: dict[str, Any] = {
        "imagePullSecrets": [{"name": secret.name} for secret in spec.image_pull_secrets],
        "nodeSelector": dict(platform.node_selector),
        "tolerations": list(platform.tolerations),
        "runtimeClassName": platform.runtime_class_name,
        "priorityClassName": platform.priority_class_name,
    }
    return pod_spec | {key: value for key, value in optional.items() if value}


def _container(spec: EffectiveSpec, server: ServerSettings) -> Manifest:
    container: Manifest = {
        "name": CONTAINER,
        "image": spec.image,
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "env": _env(spec, server),
        "resources": {"requests": spec.requests, "limits": spec.limits},
        # The startup probe looks from the first moment on, once a second: the kubelet also runs it at once when
        # the container starts, so that a server up in half a second is ready in one.
        "startupProbe": _probe(period=1, failures=60),
        "readinessProbe": _probe(period=5, failures=3),
        # Slow to judge: a busy terminal is a working terminal, and is never killed for it.
        "livenessProbe": _probe(period=30, failures=10),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "home", "mountPath": HOME},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
            {"name": "key", "mountPath": KEY_DIRECTORY, "readOnly": True},
        ],
    }
    if spec.image_pull_policy is not None:
        container["imagePullPolicy"] = spec.image_pull_policy
    return container


def _env(spec: EffectiveSpec, server: ServerSettings) -> list[Manifest]:
    fixed = {
        "HOME": HOME,
        "TERMINAL_SERVER_API_KEY_SHA256_FILE": f"{KEY_DIRECTORY}/{KEY_HASH_FIELD}",
        "TERMINAL_SERVER_PUBLIC_URL": server.url,
    }
    if server.allowed_origins:
        fixed["TERMINAL_SERVER_CORS_ORIGINS"] = ",".join(server.allowed_origins)
    return [
        *({"name": name, "value": value} for name, value in fixed.items()),
        *(variable.model_dump(by_alias=True, exclude_none=True) for variable in spec.env),
    ]


def _probe(*, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": "/health", "port": PORT_NAME, "scheme": "HTTP"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def _volumes(terminal: Terminal) -> list[Manifest]:
    names = names_of(terminal)
    return [
        {"name": "home", "persistentVolumeClaim": {"claimName": names.home_claim}},
        {"name": "tmp", "emptyDir": {"sizeLimit": TMP_SIZE}},
        {
            "name": "key",
            # 0o444: the file holds a hash, not the key.
            "secret": {
                "secretName": names.key_secret,
                "defaultMode": 0o444,
                "items": [{"key": KEY_HASH_FIELD, "path": KEY_HASH_FIELD}],
            },
        },
    ]
