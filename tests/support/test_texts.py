"""Durations for people."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from tangermeme_creme.support import duration, printable, spreadsheet_text

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


@given(st.text())
def test_printable_text_has_no_character_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert all(letter.isprintable() or letter in "\n\t" for letter in shown) and printable(shown) == shown


@pytest.mark.parametrize("text", ["GATA2", "", "-", "+", "-1", "+2.5", "-.5e-3", "3=3", "chr1:5-7", "β"])
def test_text_that_a_spreadsheet_shows_is_left_as_it_is(text: str) -> None:
    assert spreadsheet_text(text) == text


@pytest.mark.parametrize("text", ["=1", "-rf", "+a", "@A1", "-1-2", " =1", "\t=1", "\r=1", "--1", "-1e", "\uff1d1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"
