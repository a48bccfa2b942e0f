"""The sections of figures and page: one per test of a study, and those that are not tests."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ...study.tests import GIVEN_BY, TESTS
from .record import SectionView


@cache
def section_views() -> dict[str, SectionView]:
    """Return the record of each section by its key, in the order of the page.

    The key of a test is its name in a study. Its record is `VIEW` of the module of that name in this folder.

    Examples
    --------
    >>> list(section_views())[:3], section_views()["necessity"].title
    (['contexts', 'swap', 'necessity'], 'Necessity')
    """
    tests = list(TESTS)
    tests.insert(tests.index(GIVEN_BY["cres"]) + 1, "cres")
    keys = ["contexts", *tests, "annotation", "failures"]
    return {key: import_module(f".{key}", __package__).VIEW for key in keys}
