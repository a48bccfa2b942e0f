"""Durations for people."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from tangermeme_creme.support import duration

SECONDS = {"s": 1, "min": 60, "h": 3600}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (59.9, "59.9 s"),
        (59.95, "1 min 0 s"),
        (599.4, "9 min 59 s"),
        (599.5, "10 min"),
        (3569, "59 min"),
        (3571, "1 h 0 min"),
        (35_969, "9 h 59 min"),
        (35_971, "10 h"),
    ],
)
def test_duration_changes_its_units_where_the_smaller_one_is_full(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0.01, 1e9))
def test_duration_is_within_half_of_its_smallest_unit(seconds: float) -> None:
    parts = re.findall(r"([\d.,e+-]+) (s|min|h)", duration(seconds))
    total = sum(float(number.replace(",", "")) * SECONDS[unit] for number, unit in parts)
    smallest = SECONDS[parts[-1][1]] if seconds >= 59.95 else seconds / 100
    assert abs(total - seconds) <= smallest / 2 * (1 + 1e-9)
