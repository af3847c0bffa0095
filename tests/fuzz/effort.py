"""How hard is tried: with a fixed number of inputs, always the same, or for FUZZ_MINUTES with ever new ones."""

import os
import random
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, note, seed, settings, strategies
from hypothesis.strategies import SearchStrategy

INPUTS = {"document": 1_200, "requests": 8_000, "frames": 1_000}
"""How many inputs one run of the tests makes up, of each kind."""
NUMBERS = strategies.integers(0, 2**64 - 1)
"""For inputs that are made from a number: faster than hypothesis draws them piece by piece, and no two are alike."""
_BATCH = 500
_MINUTES = float(os.environ.get("FUZZ_MINUTES") or 0)
_SEED = os.environ.get("FUZZ_SEED")


def try_hard(kind: str, inputs: SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Check one input after the other: as many as are meant for this kind, or for minutes.

    A failure says with which FUZZ_SEED it comes again, and shows the input.
    """
    if not _MINUTES:
        assert _batch(inputs, check, INPUTS[kind], None) >= INPUTS[kind]
        return
    tried = 0
    number = int(_SEED) if _SEED else random.SystemRandom().randrange(2**32)
    end = time.monotonic() + _MINUTES * 60
    while time.monotonic() < end:
        tried += _batch(inputs, check, _BATCH, number)
        number += 1
    print(f"{kind}: {tried} inputs")  # noqa: T201 - for who asked for it


def _batch(inputs: SearchStrategy[Any], check: Callable[[Any], None], size: int, number: int | None) -> int:
    tried = 0

    def one(made: Any) -> None:
        nonlocal tried
        tried += 1
        if number is not None:
            note(f"Again: make fuzz FUZZ_SEED={number}")
        check(made)

    chosen = settings(
        max_examples=size,
        derandomize=number is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    test = chosen(given(inputs)(one))
    (test if number is None else seed(number)(test))()
    return tried
