"""The chart's values with their descriptions, read from the `# --` comments of values.yaml."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

LONGEST_DEFAULT = 80


@dataclass(frozen=True)
class Value:
    """One value: its path, its default and what it is for (empty if no comment says)."""

    path: tuple[str, ...]
    default: Any
    description: str

    @property
    def name(self) -> str:
        """The path as `helm --set` takes it."""
        return ".".join(self.path)

    @property
    def row(self) -> str:
        """The value's row in the table of docs/install.md."""
        default = json.dumps(self.default, ensure_ascii=False)
        shown = f"`{default}`" if len(default) <= LONGEST_DEFAULT else "see values.yaml"
        return f"| `{self.name}` | {shown} | {self.description} |"


def described_values(text: str) -> list[Value]:
    """Return a value for each key that is described, and for each one that holds no further keys."""
    root = yaml.compose(text, yaml.SafeLoader)
    return [] if root is None else list(_walk(root, yaml.safe_load(text), text.splitlines(), ()))


def _walk(
    node: yaml.Node, defaults: dict[str, Any], lines: list[str], path: tuple[str, ...]
) -> Iterator[Value]:
    for key, child in node.value:
        inner = (*path, key.value)
        description = _comment_above(lines, key.start_mark.line)
        if isinstance(child, yaml.MappingNode) and child.value and not description:
            yield from _walk(child, defaults[key.value], lines, inner)
        else:
            yield Value(inner, defaults[key.value], description)


def _comment_above(lines: list[str], line: int) -> str:
    """Return the `# --` comment that ends on the line before, its lines joined."""
    words: list[str] = []
    for comment in reversed(lines[:line]):
        stripped = comment.strip()
        if not stripped.startswith("# "):
            return ""
        words.insert(0, stripped.removeprefix("# ").removeprefix("-- "))
        if stripped.startswith("# -- "):
            return " ".join(words)
    return ""
