"""Sums up what was measured again and again."""

import math
from collections.abc import Sequence


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, the (upper) median and the most."""
    ordered = sorted(values)
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that at least `share` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
