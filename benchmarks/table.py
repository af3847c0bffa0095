"""The one table that the measurements end in."""

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line: what was measured, and what came out."""

    what: str
    least: str
    median: str
    most: str
    aim: str = ""


def seconds(what: str, values: Sequence[float], aim: str = "") -> Row:
    """Sum up times in seconds."""
    least, median, most = spread(values)
    return Row(what, f"{least:.3f} s", f"{median:.3f} s", f"{most:.3f} s", aim)


def counts(what: str, values: Sequence[int], aim: str = "") -> Row:
    """Sum up whole numbers."""
    least, median, most = spread(values)
    return Row(what, f"{least:g}", f"{median:g}", f"{most:g}", aim)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, the (upper) median and the most."""
    ordered = sorted(values)
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def render(rows: list[Row]) -> str:
    """Render rows as a Markdown table."""
    lines = [Row("what", "least", "median", "most", "aim"), Row("---", "---:", "---:", "---:", "---"), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
