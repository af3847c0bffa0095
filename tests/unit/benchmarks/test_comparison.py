"""The tables of the benchmarks say what was measured: figures, ratios, aims, and who could not do it."""

import pytest

from benchmarks.server import comparison
from benchmarks.server.comparison import FLOOR, NEW, OLD, US, Aim, Cell, Comparison, Unit
from benchmarks.spread import percentile, spread


def _row(unit: Unit = Unit.SECONDS, *aims: Aim, **values: float) -> Comparison:
    names = {"floor": FLOOR, "old": OLD, "new": NEW, "us": US}
    return Comparison("it", unit, {names[name]: Cell(value) for name, value in values.items()}, aims)


def _met(row: Comparison) -> list[bool | None]:
    return [aim.holds(row) for aim in row.aims]


def test_the_median_lies_between_the_least_and_the_most() -> None:
    assert spread([3, 1, 2]) == (1, 2, 3)


@pytest.mark.parametrize(("share", "value"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile(range(1, 101), share) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7], 99) == 7


def test_of_times_the_shorter_is_the_better() -> None:
    row = _row(floor=1, old=8, new=4, us=2)
    assert row.of_floor() == 2
    assert row.times_better(OLD) == 4
    assert row.times_better_than_best() == 2


def test_of_rates_the_higher_is_the_better() -> None:
    row = _row(Unit.RATE, floor=1000, old=100, new=125, us=500)
    assert row.of_floor() == 2
    assert row.times_better(OLD) == 5
    assert row.times_better_than_best() == 4


def test_there_is_no_ratio_to_who_was_not_measured() -> None:
    row = _row(us=2)
    assert row.of_floor() is None
    assert row.times_better_than_best() is None


def test_an_aim_is_met_missed_or_unknown() -> None:
    aims = (
        comparison.of_floor_at_most(2),
        comparison.times_better_than(NEW, 3),
        comparison.at_most(5, "≤ 5 s"),
    )
    assert _met(_row(Unit.SECONDS, *aims, floor=1, new=4, us=2)) == [True, False, True]
    assert _met(_row(Unit.SECONDS, *aims, us=6)) == [None, None, False]
    assert _met(_row(Unit.SECONDS, *aims)) == [None, None, None]


def test_better_than_the_better_peer_counts_only_peers_that_did_it() -> None:
    aim = comparison.times_better_than_best(2)
    assert _met(_row(Unit.SECONDS, aim, old=4, us=2)) == [True]
    assert _met(_row(Unit.SECONDS, aim, old=4, new=3, us=2)) == [False]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, Unit.SECONDS, "1.23 ms"),
        (12.345, Unit.SECONDS, "12.3 s"),
        (60_400_000, Unit.BYTES, "60.4 MB"),
        (853.3, Unit.RATE, "853/s"),
    ],
)
def test_figures_have_three_digits_and_a_unit(value: float, unit: Unit, text: str) -> None:
    assert comparison.shown(value, unit) == text


def test_the_table_shows_who_failed_and_how_and_who_was_not_there() -> None:
    cells = {OLD: comparison.failed("timed out"), US: comparison.typical([0.001, 0.002, 0.003])}
    aims = (comparison.at_most(0.001, "≤ 1 ms"), comparison.times_better_than(NEW, 4))
    text = comparison.render([Comparison("a thing", Unit.SECONDS, cells, aims)])
    head, rule, line = text.splitlines()
    assert [head.count("|"), rule.count("|"), line.count("|")] == [10, 10, 10]
    assert [each.strip() for each in line.split("|")[1:-1]] == [
        "a thing",
        "-",
        "timed out",
        "-",
        "2 ms (p99 3 ms)",
        "-",
        "-",
        "≤ 1 ms; ≥ 4 x 0.14.5",
        "**no**; -",
    ]
