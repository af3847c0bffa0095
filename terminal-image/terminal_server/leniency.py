"""How values are read that models make up: they mean well, and are not always what was asked for."""

import json

NOTHING = {"", "null", "none", "undefined"}
"""What clients send, in small letters, for what a model has left out."""


def something(value: object) -> object:
    """Return None for what stands for nothing, anything else as it is."""
    return None if isinstance(value, str) and value.strip().lower() in NOTHING else value


def unpacked(value: object) -> object:
    """Return what a text of JSON holds; anything else as it is, also what is nested too deeply to be meant."""
    if not isinstance(value, str):
        return value
    try:
        unpacked: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return unpacked
