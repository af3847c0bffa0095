"""One line of the server's table: the contestants side by side, their ratios, and what was aimed at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from benchmarks.spread import percentile, spread
from benchmarks.table import markdown

FLOOR, OLD, NEW, US = "floor", "0.1.10", "0.14.5", "us"
PEERS = (OLD, NEW)
COLUMNS = (FLOOR, OLD, NEW, US)
NOTHING = "-"
"""Shown where there is nothing to measure."""


class Unit(Enum):
    """What a number counts."""

    SECONDS = "s"
    BYTES = "B"
    RATE = "/s"


@dataclass(frozen=True)
class Cell:
    """What one contestant reached: the figure that counts, and how far others were from it."""

    value: float | None
    """In seconds, bytes or per second; None if it failed."""
    note: str = ""


@dataclass(frozen=True)
class Aim:
    """What was aimed at, in words, and whether it was reached; unknown if something is missing for the answer."""

    words: str
    holds: Callable[["Comparison"], bool | None]


@dataclass(frozen=True)
class Comparison:
    """One line."""

    what: str
    unit: Unit
    cells: Mapping[str, Cell]
    aims: Sequence[Aim] = ()

    def value(self, name: str) -> float | None:
        """Return a contestant's figure, if it has one."""
        cell = self.cells.get(name)
        return cell.value if cell is not None else None

    def times_better(self, than: str) -> float | None:
        """Return how many times better than another we are; below 1, how much worse."""
        ours, other = self.value(US), self.value(than)
        if not ours or not other:
            return None
        return ours / other if self.unit is Unit.RATE else other / ours

    def times_better_than_best(self) -> float | None:
        """Return how many times better than the better peer we are."""
        ratios = [ratio for ratio in map(self.times_better, PEERS) if ratio is not None]
        return min(ratios, default=None)

    def of_floor(self) -> float | None:
        """Return how many times as much as the floor we take; a rate, how many times less often."""
        better = self.times_better(FLOOR)
        return 1 / better if better else None


def at_most(limit: float, words: str) -> Aim:
    """Want our figure to be no more than `limit`."""
    return Aim(words, lambda row: _compare(row.value(US), lambda ours: ours <= limit))


def of_floor_at_most(limit: float) -> Aim:
    """Want no more than so many times the floor."""
    return Aim(f"≤ {limit:g} x floor", lambda row: _compare(row.of_floor(), lambda ratio: ratio <= limit))


def times_better_than(name: str, limit: float) -> Aim:
    """Want to be so many times better than a peer."""
    return Aim(
        f"≥ {limit:g} x {name}", lambda row: _compare(row.times_better(name), lambda ratio: ratio >= limit)
    )


def times_better_than_best(limit: float) -> Aim:
    """Want to be so many times better than the better peer."""
    return Aim(
        f"≥ {limit:g} x the better peer",
        lambda row: _compare(row.times_better_than_best(), lambda ratio: ratio >= limit),
    )


def _compare(value: float | None, holds: Callable[[float], bool]) -> bool | None:
    return None if value is None else holds(value)


def median(values: Sequence[float], unit: Unit) -> Cell:
    """Sum up rounds: the median counts, the least and the most are told."""
    least, middle, most = spread(values)
    if len(values) == 1:
        return Cell(middle)
    return Cell(middle, f"{shown(least, unit)} to {shown(most, unit)}")


def typical(values: Sequence[float], unit: Unit = Unit.SECONDS) -> Cell:
    """Sum up many calls: the 50th percentile counts, the 99th is told."""
    return Cell(percentile(values, 50), f"p99 {shown(percentile(values, 99), unit)}")


def nearly_worst(values: Sequence[float], unit: Unit = Unit.SECONDS) -> Cell:
    """Sum up many calls: the 99th percentile counts, the 50th and the worst are told."""
    note = f"p50 {shown(percentile(values, 50), unit)}, worst {shown(max(values), unit)}"
    return Cell(percentile(values, 99), note)


def failed(reason: str) -> Cell:
    """Tell that a contestant could not do it."""
    return Cell(None, reason)


def shown(value: float, unit: Unit) -> str:
    """Write a figure with three digits or so."""
    if unit is Unit.BYTES:
        return f"{value / 1e6:.3g} MB"
    if unit is Unit.RATE:
        return f"{value:.0f}/s"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def render(rows: Sequence[Comparison]) -> str:
    """Render the table."""
    head = ("what", *COLUMNS, "us / floor", "better than the better peer", "aim", "met?")
    return markdown(head, map(_line, rows), words={"what", "aim", "met?"})


def noise(before: Sequence[float], after: Sequence[float]) -> Comparison:
    """Tell how the same fixed piece of work took different times, before and after: less means nothing."""
    cell = median([*before, *after], Unit.SECONDS)
    return Comparison("the machine's noise: a fixed piece of work", Unit.SECONDS, {FLOOR: cell})


def _line(row: Comparison) -> list[str]:
    return [
        row.what,
        *(_cell(row.cells.get(name), row.unit) for name in COLUMNS),
        _times(row.of_floor()),
        _times(row.times_better_than_best()),
        "; ".join(aim.words for aim in row.aims),
        "; ".join(_answer(aim.holds(row)) for aim in row.aims),
    ]


def _cell(cell: Cell | None, unit: Unit) -> str:
    if cell is None:
        return NOTHING
    if cell.value is None:
        return cell.note
    figure = shown(cell.value, unit)
    return f"{figure} ({cell.note})" if cell.note else figure


def _times(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio:.3g} x"


def _answer(holds: bool | None) -> str:  # noqa: FBT001 - what it is about
    return NOTHING if holds is None else "yes" if holds else "**no**"
