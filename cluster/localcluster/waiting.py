"""Waits for a condition with a deadline, never for luck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL = 0.1


def until(holds: Callable[[], bool], seconds: float, failure: Callable[[], str]) -> None:
    """Return when `holds` does; after `seconds` raise with what `failure` says then."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise ClusterError(failure())
        time.sleep(_POLL)
