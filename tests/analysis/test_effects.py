"""Test effects: formulas, types, shapes and undefined references."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis import (
    fold_change,
    fraction_of_max,
    normalized_effect,
    tile_effect_over_control,
    tile_effect_over_wt,
)

EFFECTS = [
    (normalized_effect, (8.0, 6.0), 0.25),
    (fold_change, (6.0, 8.0), 0.75),
    (tile_effect_over_wt, (6.0, 2.0, 8.0), 0.5),
    (tile_effect_over_control, (6.0, 8.0), -0.25),
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
