"""What is known of one Terminal at the start, and again at the end, of a pass."""

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Observed:
    """A Terminal's children as last seen; None where there is none."""

    key: Manifest | None
    home: Manifest | None
    policy: Manifest | None
    service: Manifest | None
    pod: Manifest | None
    route: Manifest | None
    other_routes: tuple[Manifest, ...]
    """Routes of a kind that is no longer configured."""
