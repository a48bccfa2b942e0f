"""What one locus costs in each stage of a study."""

from __future__ import annotations

from ..spec import StudySpec
from ..tests import TESTS, Cost, Extent


def cost_of(spec: StudySpec, stage: str, extent: Extent, *, in_part: bool) -> Cost:
    """Count the sequences that a stage predicts for one locus. That of the fine-tile search is a bound.

    Parameters
    ----------
    spec: StudySpec

    stage: str
        "activity", "context", "shared" (the cached activations that the tests of a locus share), or a test.

    extent: Extent

    in_part: bool
        Whether edits run in part.

    Examples
    --------
    >>> from ..spec import spec_from_dict
    >>> model = {"adapter": "function", "function": "a:b", "tracks": ["A"], "length": 65536}
    >>> spec = spec_from_dict({"model": model, "windows": {"file": "x.fa"}})
    >>> cost_of(spec, "necessity", Extent(tiles=12, tile_size=5000), in_part=True)
    Cost(full=0, partial=121)
    """
    if stage == "activity":
        return Cost(full=1)
    if stage == "context":
        return Cost(full=1 + spec.context.n)
    if stage == "shared":
        return Cost(full=1 + most_backgrounds(spec)) if in_part else Cost()
    n = TESTS[stage].cost(spec.tests, extent)
    return Cost(partial=n) if in_part else Cost(full=n)


def most_backgrounds(spec: StudySpec) -> int:
    """Return the most backgrounds that a test of the study takes, and at least 1."""
    tests = [test for test in TESTS.values() if test.backgrounds and test.name in spec.tests.include]
    return max((getattr(spec.tests, test.name).n for test in tests), default=1)


def rows_of(spec: StudySpec, stage: str, extent: Extent, tracks: int) -> float:
    """Estimate the rows per locus of the tables of a stage."""
    if stage in ("activity", "context"):
        return tracks
    if stage == "shared":
        return 0
    test = TESTS[stage]
    if test.rows is not None:
        return test.rows(extent) * tracks
    return test.cost(spec.tests, extent) / getattr(spec.tests, stage).n / 4  # a row is a mean over shuffles
