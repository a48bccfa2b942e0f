"""Test effects: formulas, types, shapes and undefined references."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis import (
    classify_context,
    difference,
    fold_change,
    fraction_of_max,
    log_fold,
    normalized_effect,
    tile_difference,
    tile_effect_over_control,
    tile_effect_over_wt,
    tile_log_fold,
)

EFFECTS = [
    (normalized_effect, (8.0, 6.0), 0.25),
    (fold_change, (6.0, 8.0), 0.75),
    (tile_effect_over_wt, (6.0, 2.0, 8.0), 0.5),
    (tile_effect_over_control, (6.0, 8.0), -0.25),
    (difference, (-6.0, 2.0), -8.0),
    (tile_difference, (-6.0, 2.0), -8.0),
    (log_fold, (2.0, 8.0), -2.0),
    (tile_log_fold, (2.0, 8.0), -2.0),
]


@pytest.mark.parametrize(("effect", "values", "expected"), EFFECTS)
def test_effect_comes_back_as_the_kind_that_went_in(effect, values, expected):
    assert effect(*values) == expected
    array = effect(*(np.full((2, 3), v, dtype=np.float32) for v in values))
    assert isinstance(array, np.ndarray) and array.shape == (2, 3) and (array == expected).all()
    tensor = effect(*(torch.full((2, 3), v, dtype=torch.bfloat16) for v in values))
    assert isinstance(tensor, torch.Tensor) and (tensor == expected).all()
    series = effect(*(pd.Series([v], index=["a"]) for v in values))
    assert series.to_dict() == {"a": expected}


@pytest.mark.parametrize(("effect", "values", "expected"), EFFECTS)
def test_effect_repeats_axes_of_one_and_refuses_to_guess_others(effect, values, expected):
    first, *others = values
    small = [np.full((2, 1, 3), v) for v in others]
    assert effect(np.full((2, 2, 3), first), *small).shape == (2, 2, 3)
    with pytest.raises(ValueError, match=r"same axes.*\(2, 3\)"):
        effect(np.full((2, 2, 3), first), *[np.full((2, 3), v) for v in others])
    with pytest.raises(ValueError, match=r"got .*\(4,\)"):
        effect(np.full(3, first), *[np.full(4, v) for v in others])


@pytest.mark.parametrize(
    ("effect", "name", "call"),
    [
        (normalized_effect, "y_wt", lambda ref: normalized_effect(ref, np.ones(4))),
        (fold_change, "y_ref", lambda ref: fold_change(np.ones(4), ref)),
        (tile_effect_over_wt, "y_wt", lambda ref: tile_effect_over_wt(np.ones(4), np.ones(4), ref)),
        (tile_effect_over_control, "y_control", lambda ref: tile_effect_over_control(np.ones(4), ref)),
    ],
)
def test_reference_of_zero_or_wrong_sign_is_nan_and_counted(effect, name, call):
    reference = np.array([0.0, -2.0, np.nan, 1.0])
    with pytest.warns(TangermemeWarning, match=f"{name} .*2 of 4 .*down to -2"):
        assert np.isnan(call(reference)).tolist() == [True, True, True, False]
    assert reference[0] == 0  # left as it was


NAMED = "take the effect difference, or log_fold"


@pytest.mark.parametrize(
    ("reference", "named"), [([0.0] + [1.0] * 19, False), ([-0.1] + [1.0] * 19, True), ([0.0] * 3 + [1.0] * 17, True)]
)
def test_a_scale_without_ratios_is_told_which_effects_fit(reference: list[float], named: bool) -> None:
    with pytest.warns(TangermemeWarning, match="y_wt must be above 0") as caught:
        normalized_effect(np.array(reference), np.ones(20))
    assert len(caught) == 1 and (NAMED in str(caught[0].message)) == named


def test_a_logarithm_of_what_is_not_above_zero_is_nan_and_counted() -> None:
    with pytest.warns(TangermemeWarning, match="y_mut must be above 0 to have a logarithm: 1 of 2"):
        assert np.isnan(log_fold(1.0, np.array([-1.0, 1.0]))).tolist() == [True, False]


@pytest.mark.parametrize("effect", [effect for effect, _, _ in EFFECTS])
def test_infinite_predictions_have_no_effect_and_are_counted(effect) -> None:
    last = list(inspect.signature(effect).parameters)[-1]
    values = {name: np.array([4.0, 4.0]) for name in inspect.signature(effect).parameters}
    for infinity in (np.inf, -np.inf):
        with pytest.warns(TangermemeWarning, match=f"{last} must be finite: 1 of 2 are infinite") as caught:
            assert np.isnan(effect(**{**values, last: np.array([infinity, 4.0])})).tolist() == [True, False]
        assert len(caught) == 1


def test_one_infinite_shuffle_makes_no_context_silencing() -> None:
    y_mut = torch.tensor([[9.0, torch.inf], [9.0, 9.5]], dtype=torch.half)
    with pytest.warns(TangermemeWarning, match="1 of 4 are infinite"):
        effect = normalized_effect(torch.full((2, 1), 10.0), y_mut).mean(1)
    assert classify_context(effect).tolist() == [None, "other"]
    with pytest.warns(TangermemeWarning, match="effect must be finite: 1 of 2"):
        assert classify_context([-np.inf, -1.0]).tolist() == [None, "silencing"]


@pytest.mark.parametrize(
    "values", [["1.0", "2.0"], np.array(["1"]), pd.Series(["1"]), pd.Series([pd.Timestamp("2024")]), b"1", object()]
)
def test_what_is_no_number_is_refused_also_if_it_looks_like_one(values) -> None:
    with pytest.raises(ValueError, match="y_mut must be a number, or an array"):
        normalized_effect(1.0, values)


@pytest.mark.parametrize("values", [1j, np.array([1 + 0j]), torch.tensor([1 + 0j]), pd.Series([1j])])
def test_complex_predictions_are_refused(values) -> None:
    with pytest.raises(ValueError, match=r"y_mut must be a number.*; got complex128|got complex64"):
        normalized_effect(1.0, values)


@pytest.mark.parametrize("values", [pd.Series([1, None], dtype="Int64"), pd.Series([1.0, None]), [True, None]])
def test_missing_numbers_of_every_kind_stay_missing(values) -> None:
    assert np.isnan(np.asarray(normalized_effect(2.0, values))).tolist() == [False, True]


def test_fraction_of_max_of_missing_and_dead_curves():
    y = np.array([[np.nan, 2.0, 4.0], [np.nan] * 3, [0.0, -1.0, 0.0]])
    with pytest.warns(TangermemeWarning, match="1 of 3"):
        fraction = fraction_of_max(y)
    np.testing.assert_array_equal(fraction, [[np.nan, 0.5, 1.0], [np.nan] * 3, [np.nan] * 3])
    np.testing.assert_array_equal(fraction_of_max(torch.tensor([[1.0], [2.0]]), axis=0), [[0.5], [1.0]])
    with pytest.raises(ValueError, match="axis 1"):
        fraction_of_max([1.0, 2.0], axis=1)


def test_effects_refuse_series_of_other_rows_and_text():
    with pytest.raises(ValueError, match="another for y_mut"):
        normalized_effect(pd.Series([1.0], index=["a"]), pd.Series([1.0], index=["b"]))
    with pytest.raises(ValueError, match=r"y_mut must be a number.*'x'"):
        normalized_effect(1.0, "x")


def test_functions_of_tables_import_no_torch() -> None:
    modules = (
        "effects calls presets stats.summary stats.groups interactions.pairs annotate.signal export crispri.compare"
    )
    names = [f"tangermeme_creme.analysis.{name}" for name in modules.split()]
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
