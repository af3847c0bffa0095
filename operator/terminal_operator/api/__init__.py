"""The API group terminal-operator.dev: its objects as the operator reads them. No I/O."""
