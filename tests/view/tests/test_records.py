"""Each test of a study has a record that says how figures and page show it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from study_tables import made_spec, made_study

from tangermeme_creme.study.tests import TESTS
from tangermeme_creme.view.report.columns import _SHARED, column_meaning
from tangermeme_creme.view.tests import StudyTables, section_views


def test_sections_are_the_tests_in_their_order_and_parts_that_are_no_test() -> None:
    keys = list(section_views())
    assert [key for key in keys if key in TESTS] == list(TESTS)
    assert set(keys) - set(TESTS) == {"contexts", "cres", "annotation", "failures"}
    assert keys[0] == "contexts" and keys.index("cres") == keys.index("sufficiency") + 1


@pytest.mark.parametrize("key", section_views())
def test_records_say_how_to_read_the_numbers(key: str, tmp_path: Path) -> None:
    view = section_views()[key]
    assert view.reading(made_spec(tmp_path)).endswith(".") and view.limits.endswith(".") and view.title
    assert not [table.name for table in view.tables if table.columns and table.rank not in (None, *table.columns)]


def test_names_of_tables_and_meanings_of_columns_are_in_one_record() -> None:
    views = section_views().values()
    tables = Counter(table.name for view in views for table in view.tables)
    columns = Counter([*_SHARED, *(name for view in views for name in view.columns)])
    assert max(tables.values()) == max(columns.values()) == 1
    assert column_meaning("epistasis_low") == "lower end of the 95% bootstrap interval of epistasis"


def test_figures_are_named_once(tmp_path: Path) -> None:
    tables = StudyTables(made_study(tmp_path))
    names = [drawn.name for view in section_views().values() if view.draw for drawn in view.draw(tables)]
    assert len(names) == len(set(names)) > 20
