"""Which part of a file a `Range` header asks for."""

import re

_ONE = re.compile(r"([0-9]{0,18})\s*-\s*([0-9]{0,18})")


class BadRangeError(ValueError):
    """The header cannot be understood."""


class UnsatisfiableRangeError(ValueError):
    """There are no such bytes."""


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return where the wanted bytes begin and end, the end excluded; None for all of them.

    Several ranges in one request, which hardly a client asks for, are answered with all, as is allowed; so are those of
    another unit than bytes, as they have to be (RFC 9110, 14.2).

    Raises:
        BadRangeError: the header is malformed.
        UnsatisfiableRangeError: the range begins behind the end.
    """
    if header is None:
        return None
    unit, _, ranges = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in ranges:
        return None
    match = _ONE.fullmatch(ranges.strip())
    if match is None or not any(match.groups()):
        raise BadRangeError("Range: it must be like bytes=0-99, bytes=100- or bytes=-100")
    first, last = match.groups()
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < begin:
            raise BadRangeError("Range: the end is before the begin")
    if begin >= end:
        raise UnsatisfiableRangeError(f"Range: the file has {size} bytes")
    return begin, end
