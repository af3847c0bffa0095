"""Pure makers of the objects a Terminal consists of: from spec, class and settings to plain manifests.

No I/O, no clock, no randomness: the same input gives the same objects, always.
"""
