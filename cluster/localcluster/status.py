"""What `status` shows: every component, every add-on, and whether all of it is up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One thing that should be up."""

    name: str
    up: bool
    state: str
    restarts: int | None = None
    pid: int | None = None
    uptime: float | None = None
    last_end: str = ""
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """A cluster as it is now."""

    cluster: str
    backend: str
    rows: tuple[Row, ...]
    kubeconfig: str
    url: str

    @property
    def up(self) -> bool:
        """Whether everything is."""
        return bool(self.rows) and all(row.up for row in self.rows)

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({**asdict(self), "up": self.up}, indent=2)

    def as_text(self) -> str:
        """For people: one line each, and the last words of what is down."""
        lines = [f"cluster {self.cluster} ({self.backend}): {'up' if self.up else 'NOT up'}"]
        lines += [_line(row) for row in self.rows]
        for row in self.rows:
            if not row.up and row.last_lines:
                lines += [f"last lines of {row.name}:", *(f"    {line}" for line in row.last_lines)]
        if self.up:
            lines += [f"kubeconfig {self.kubeconfig}", f"ingress    {self.url}"]
        return "\n".join(lines)


def _line(row: Row) -> str:
    facts = []
    if row.restarts is not None:
        facts.append(f"{row.restarts} restarts")
    if row.pid is not None:
        facts.append(f"pid {row.pid}")
    if row.uptime is not None:
        facts.append(f"{row.uptime:.0f} s")
    if row.last_end:
        facts.append(f"last: {row.last_end}")
    return f"  {'ok ' if row.up else 'DOWN'} {row.name:<24} {row.state:<26} {', '.join(facts)}".rstrip()
