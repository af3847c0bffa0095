"""The names this project has in the Kubernetes API."""

GROUP = "terminal-operator.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

FIELD_MANAGER = "terminal-operator"

DEFAULT_CLASS_ANNOTATION = f"terminalclass.{GROUP}/is-default-class"
TERMINAL_LABEL = f"{GROUP}/terminal"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
POD_TEMPLATE_ANNOTATION = f"{GROUP}/pod-template"
