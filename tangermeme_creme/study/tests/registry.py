"""The tests of a study, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    distance,
    fine_tile,
    higher_order,
    interactions,
    multiplicity,
    necessity,
    set_sufficiency,
    sufficiency,
    swap,
)
from .record import StudyTest

_MODULES = (
    swap, necessity, sufficiency, distance, multiplicity, higher_order, set_sufficiency, interactions, fine_tile
)  # fmt: skip

TESTS: Mapping[str, StudyTest] = {module.TEST.name: module.TEST for module in _MODULES}
"""The record of each test by its name."""

GIVEN_BY: Mapping[str, str] = {table: test.name for test in TESTS.values() for table in test.gives}
"""The test that gives a table."""


def needed_tests(name: str) -> list[str]:
    """Return the tests that a test starts from.

    >>> needed_tests("distance"), needed_tests("swap")
    (['sufficiency'], [])
    """
    return [GIVEN_BY[table] for table in TESTS[name].needs if table in GIVEN_BY]
