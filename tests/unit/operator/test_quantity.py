"""Quantities are compared as the exact numbers they stand for."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_operator.api.quantity import parse_quantity

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
NUMBERS = st.decimals(0, 10**6, places=3, allow_nan=False)


@given(NUMBERS, st.sampled_from(sorted(DECIMAL)))
def test_a_decimal_suffix_is_a_power_of_ten(number: Decimal, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == number * Decimal(10) ** DECIMAL[suffix]


@given(NUMBERS, st.sampled_from(sorted(BINARY)))
def test_a_binary_suffix_is_a_power_of_two(number: Decimal, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == number * 2 ** BINARY[suffix]


@given(NUMBERS, st.sampled_from("eE"), st.integers(-9, 18))
def test_an_exponent_is_a_power_of_ten(number: Decimal, letter: str, exponent: int) -> None:
    assert parse_quantity(f"{number}{letter}{exponent}") == number * Decimal(10) ** exponent


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.5", "500m"),
        ("1", "1000m"),
        ("1Gi", "1024Mi"),
        (2, "2"),
        ("+1", "1"),
        (".5", "0.50"),
        ("1e3", "1k"),
    ],
)
def test_the_same_amount_is_the_same_however_it_is_written(one: str | int, other: str) -> None:
    assert parse_quantity(one) == parse_quantity(other)


@pytest.mark.parametrize(
    "text", ["", "m", "1 Gi", "1GB", "1Mi ", "0x10", "1e", "--1", "one", "1_000", "٣", "1\n"]
)
def test_what_is_no_quantity_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as"):
        parse_quantity(text)
