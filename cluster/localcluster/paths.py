"""Files through which the callers of a native cluster and its supervisor know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from localcluster.settings import Settings


def launch_record(settings: Settings) -> Path:
    """Which process holds the cluster (see `processes.recorded`)."""
    return settings.cluster_dir / "process.json"


def state_file(settings: Settings) -> Path:
    """What the supervisor knows of its components."""
    return settings.cluster_dir / "state.json"


def lock_file(settings: Settings) -> Path:
    """Held by whoever changes the cluster."""
    return settings.cluster_dir / "lock"


def component_log(settings: Settings, name: str) -> Path:
    """Output of one component, of the present or the last run."""
    return settings.logs_dir / f"{name}.log"
