"""How values are read that models make up: they mean well, and are not always what was asked for."""

import json


def unpacked(value: object) -> object:
    """Return what a text of JSON holds; anything else as it is, also what is nested too deeply to be meant."""
    if not isinstance(value, str):
        return value
    try:
        unpacked: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return unpacked
