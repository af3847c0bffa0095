"""Ranges of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.files.ranges import BadRangeError, UnsatisfiableRangeError, wanted_range


@given(st.integers(0, 100), st.integers(0, 150), st.integers(0, 150))
def test_a_range_is_cut_to_the_file(size: int, first: int, last: int) -> None:
    content = bytes(range(101))[:size]
    try:
        found = wanted_range(f"bytes={first}-{last}", size)
    except UnsatisfiableRangeError:
        assert first >= size
    except BadRangeError:
        assert last < first
    else:
        assert found is not None
        assert content[slice(*found)] == content[first : last + 1] != b""


@given(st.text(max_size=20), st.integers(0, 2**63))
def test_no_header_is_more_than_refused(header: str, size: int) -> None:
    for value in (header, f"bytes={header}"):
        try:
            found = wanted_range(value, size)
        except (BadRangeError, UnsatisfiableRangeError):
            continue
        assert found is None or 0 <= found[0] < found[1] <= size


@pytest.mark.parametrize(
    ("header", "found"), [("bytes=-3", (7, 10)), ("bytes=-30", (0, 10)), ("Bytes = 4-", (4, 10))]
)
def test_the_end_of_a_file_can_be_asked_for(header: str, found: tuple[int, int]) -> None:
    assert wanted_range(header, 10) == found


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "items=0-3", "items=", "none", "", None])
def test_several_ranges_other_units_and_none_are_all(header: str | None) -> None:
    assert wanted_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=", "bytes=-", "bytes=x-y", "bytes=3-2"])
def test_a_range_that_makes_no_sense_is_refused(header: str) -> None:
    with pytest.raises(BadRangeError):
        wanted_range(header, 10)
