"""When the predictions of two probes count as those of one model."""

from typing import Any

import pytest

from tangermeme_creme.study.store import probe_change


def probe(tolerance: float = 1e-4, **predictions: list[float]) -> dict[str, Any]:
    return {"predictions": predictions, "tolerance": tolerance}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, probe(a=[1.0])),
        (probe(a=[1.0]), None),
        (probe(a=[1.0]), probe(a=[1.00009])),
        (probe(a=[1.0]), probe(2e-3, a=[1.0019])),  # another device, on which rounding is coarser
        (probe(2e-3, a=[1.0]), probe(a=[1.0019])),
        (probe(a=[1.0], b=[1e-9]), probe(a=[1.0], b=[2e-9])),  # relative to the largest of all
        (probe(a=[0.0]), probe(a=[0.0])),
        (probe(a=[1.0]), probe(b=[2.0])),  # sequences of one run alone
        (probe(a=[1.0]), probe(a=[1.0], b=[2.0])),
    ],
)
def test_rounding_is_no_change(old: Any, new: Any) -> None:
    assert probe_change(old, new) == ""


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (probe(a=[-4.0, 1.0]), probe(a=[-4.0, 2.0]), "its prediction of a is off by 0.25 of the largest, where"),
        (probe(a=[4.0], b=[1.0]), probe(a=[4.01], b=[2.0]), "its prediction of b is off by 0.25 of the largest, where"),
        (probe(a=[1.0]), probe(a=[1.00011]), "its prediction of a is off by 0.00011 of the largest, where rounding "
         "is up to 0.0001"),
        (probe(a=[0.0]), probe(a=[0.5]), "its prediction of a is off by 0.5, where it was 0, where rounding is up to"),
        (probe(a=[1.0, 2.0]), probe(a=[1.0]), "its prediction of a has 1 numbers, where it had 2"),
    ],
)  # fmt: skip
def test_more_than_rounding_is_told_with_the_difference(old: Any, new: Any, change: str) -> None:
    assert probe_change(old, new).startswith(change)
    assert probe_change(new, old) != ""
