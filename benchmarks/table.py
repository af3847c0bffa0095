"""The tables that the measurements end in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.spread import spread


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


def render(rows: Sequence[Row]) -> str:
    """Render rows as a Markdown table."""
    return markdown(("what", "least", "median", "most", "aim"), rows, words={"what", "aim"})


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: set[str]) -> str:
    """Render a Markdown table; columns that are not words are aligned as numbers."""
    rule = ["---" if name in words else "---:" for name in head]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))
