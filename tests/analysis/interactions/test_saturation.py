"""Test Hill curves of multiplicity tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.optimize import curve_fit
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import multiplicity_test
from tangermeme_creme.analysis.interactions import fit_saturation, saturation_table
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import Element, RegulatoryToy, simulate_sequence
from tangermeme_creme.operators import MultiplicityResult

COPIES = np.arange(1, 16)


def hill(c: Any, control: float, plateau: float, half: float, power: float) -> Any:
    return control + (plateau - control) * c**power / (half**power + c**power)


@given(st.floats(0.5, 50), st.floats(1.3, 30), st.floats(0.3, 12), st.floats(0.8, 5), st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_is_a_hill_curve_is_found(control: float, fold: float, half: float, power: float, up: bool) -> None:
    plateau = control * fold if up else control / fold
    curve = hill(COPIES, control, plateau, half, power)
    if np.abs(curve - control).max() <= 0.05 * control:
        return
    found = fit_saturation(control, curve)
    assert found.r2 == pytest.approx(1, abs=1e-6) or np.ptp(curve) < 1e-6 * control
    np.testing.assert_allclose(hill(COPIES, control, found.plateau, found.half_copies, found.hill), curve, rtol=1e-4)
    if half > 1 and 1 / (1 + (half / 15) ** power) > 0.6:  # the curve shows its plateau
        assert (found.plateau, found.half_copies, found.hill) == pytest.approx((plateau, half, power), rel=0.02)
        assert found.reached == pytest.approx(1 / (1 + (half / 15) ** power), abs=0.01)


def test_noisy_curves_are_fitted_at_least_as_well_as_curve_fit_does() -> None:
    rng = np.random.default_rng(0)
    control = np.full(12, 3.0)
    truth = [hill(COPIES, 3, 3 + 10 * sign, 1 + k / 2, 1 + k / 6) for k in range(6) for sign in (1, -0.25)]
    curves = np.stack(truth) + rng.normal(0, 0.1, (12, 15))
    found = fit_saturation(control, curves)
    for i in range(12):

        def model(c: Any, *point: float) -> Any:
            return hill(c, 3, *point)

        start = (curves[i, -1], 4, 1.5)
        bounds = ([-np.inf, 0.05, 0.5], [np.inf, 150, 8])
        oracle, _ = curve_fit(model, COPIES, curves[i], p0=start, bounds=bounds, maxfev=20_000)
        ours = ((model(COPIES, found.plateau[i], found.half_copies[i], found.hill[i]) - curves[i]) ** 2).sum()
        assert ours <= ((model(COPIES, *oracle) - curves[i]) ** 2).sum() * (1 + 1e-6)
        assert found.r2[i] == pytest.approx(1 - ours / ((curves[i] - curves[i].mean()) ** 2).sum(), rel=1e-9)
    np.testing.assert_array_equal(fit_saturation(3.0, curves[4]), [part[4] for part in found])


def test_straight_and_accelerating_curves_have_no_plateau_in_sight() -> None:
    found = fit_saturation([2.0, 2.0, 2.0], [2 + 3.0 * COPIES, 2 - 0.1 * COPIES, 2 * 1.3**COPIES])
    assert (found.reached < 0.2).all()
    assert np.isnan(found.plateau[:2]).all() and found.reached[:2].tolist() == [0, 0]


def test_flat_missing_and_short_curves() -> None:
    curves = np.tile(hill(COPIES, 2, 9, 2, 2), (4, 1))
    curves[1] = 2.09
    curves[2, 3:] = np.nan
    curves[3, [0, 7]] = np.nan
    with pytest.warns(TangermemeWarning, match="1 of 4 have fewer; their saturation is NaN") as caught:
        found = fit_saturation([2.0] * 4, curves)
    assert len(caught) == 1
    assert np.isnan(found.plateau).tolist() == [False, True, True, False]
    assert np.isnan(found.reached[1:3]).all()
    assert found.plateau[3] == pytest.approx(9, rel=1e-3)
    assert fit_saturation(2.0, curves[1], min_change=0.01).plateau == pytest.approx(2.09)
    with pytest.warns(TangermemeWarning, match="1 of 1"):
        assert np.isnan(fit_saturation(np.nan, curves[0])).all()
    with pytest.warns(TangermemeWarning, match="1 of 1"):
        assert np.isnan(fit_saturation(2.0, [4.0, 5.0, 5.5])).all()


def test_a_control_of_zero_has_a_plateau_but_no_fold() -> None:
    curve = torch.tensor(hill(COPIES, 0, 5, 2, 2))[None]
    result = MultiplicityResult(
        torch.zeros(1, 3), torch.ones(1, 3), torch.zeros(1, 15), torch.zeros(1, 15, 15, 3), curve
    )
    with pytest.warns(TangermemeWarning, match="y_ref must be above 0.*1 of 1"):
        table = saturation_table(result)
    assert table["plateau"].item() == pytest.approx(5) and np.isnan(table["plateau_fold"].item())
    assert table["saturates"].item() == "yes"


def test_bad_curves_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(2,\) and \(3, 4\)"):
        fit_saturation([1.0, 2.0], np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"got \(\) and \(0,\)"):
        fit_saturation(1.0, [])
    with pytest.raises(ValueError, match="min_change must be at least 0; got -1"):
        fit_saturation(1.0, np.ones(4), min_change=-1)


L, TILE = 16_384, 1_024
TSS = (L // 2 - TILE // 2, L // 2 + TILE // 2)


@pytest.mark.parametrize(
    ("response", "kind", "expected"),
    [("saturating", "enhancer", "yes"), ("additive", "enhancer", "no"), ("multiplicative", "enhancer", "no"),
     ("saturating", "promoter", "flat")],
)  # fmt: skip
def test_toys_saturate_where_their_response_does(response: str, kind: str, expected: str) -> None:
    cre, ceiling = (TSS[1] + 256, TSS[1] + 768), 20.0
    X = simulate_sequence(L, [Element("promoter", L // 2), Element(kind, cre[0] + 24, copies=4)], random_state=0)
    toy = RegulatoryToy(L, response=response, ceiling=ceiling, reach=(1e6, 1e6))
    positions = [start for start in range(0, L - 512, 640) if start + 512 <= TSS[0] or start >= TSS[1]]
    result = multiplicity_test(
        Readout(toy, bins=[toy.tss_bin]), X, TSS, cre, positions, direction="max", copies=8, n=3, random_state=0
    )
    row = saturation_table(result, ids=["gene"]).iloc[0]
    assert (row["example"], row["n_copies"], row["saturates"]) == ("gene", 8, expected)
    if expected == "yes":
        assert row["plateau"] == pytest.approx(ceiling, rel=0.05)
        assert row["plateau_fold"] == row["plateau"] / row["control"]
        assert row["reached"] > 0.9 and row["half_copies"] < 4
        difference, fold = (saturation_table(result, scale=scale).iloc[0] for scale in ("difference", "log_fold"))
        assert difference["plateau_difference"] == row["plateau"] - row["control"]
        assert fold["plateau_log_fold"] == pytest.approx(np.log2(row["plateau_fold"]))
        assert "plateau_fold" not in difference and "plateau_fold" not in fold
    with pytest.raises(ValueError, match=r"ids must have 1 entries, one per example; got 2"):
        saturation_table(result, ids=["a", "b"])
    with pytest.raises(ValueError, match=r"scale must be .*; got 'z'"):
        saturation_table(result, scale="z")
    with pytest.raises(ValueError, match="saturated must be between 0 and 1; got 1"):
        saturation_table(result, saturated=1)
