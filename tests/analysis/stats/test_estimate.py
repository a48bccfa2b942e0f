"""Test standard errors and intervals of effects against scipy, statsmodels and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis import normalized_effect, tile_effect_over_control
from tangermeme_creme.analysis.stats import EFFECTS, estimate_effect, expanded_tail, resampling
from tangermeme_creme.analysis.stats.resampling import activities_of


def activities(n: int, rows: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw activities of a wild type, a control and a mutant that share the noise of their backgrounds."""
    rng = np.random.default_rng(seed)
    background = rng.normal(1, 0.2, (rows, n))
    return {
        "y_wt": np.full((rows, 1), 10.0),
        "y_control": 3 * background + rng.normal(0, 0.2, (rows, n)),
        "y_mut": 6 * background + rng.normal(0, 0.6, (rows, n)),
    }


TRUE = {"necessity": 0.4, "over_wt": 0.3, "over_control": 1.0, "fold_over_control": 2.0}


def of(name: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    wanted = {"necessity": ("y_wt", "y_mut"), "over_wt": ("y_wt", "y_control", "y_mut")}
    return {key: values[key] for key in wanted.get(name, ("y_control", "y_mut"))}


@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("n", [7, 40])
def test_interval_is_the_paired_percentile_bootstrap_of_scipy(name: str, n: int) -> None:
    values = of(name, activities(n))
    found = estimate_effect(name, **values, confidence=0.9, n_resamples=800, random_state=4)
    rows = [np.broadcast_to(array, (3, n)) for array in values.values()]

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return EFFECTS[name](**dict(zip(values, (sample.mean(axis=axis) for sample in samples))))

    expected = stats.bootstrap(
        rows, statistic, paired=True, axis=-1, method="percentile", n_resamples=800,
        confidence_level=1 - 2 * expanded_tail(n, 0.9), rng=np.random.default_rng(4),
    )  # fmt: skip
    np.testing.assert_allclose(found.low, expected.confidence_interval.low, rtol=1e-12)
    np.testing.assert_allclose(found.high, expected.confidence_interval.high, rtol=1e-12)
    np.testing.assert_allclose(found.effect, statistic(*rows), rtol=1e-12)


def test_interval_of_a_mean_is_near_that_of_student() -> None:
    drawn = np.random.default_rng(0).normal(5, 1, (20, 15))
    found = estimate_effect(lambda y_mut: y_mut, y_mut=drawn, n_resamples=20_000)
    low, high = np.array([DescrStatsW(row).tconfint_mean(0.05) for row in drawn]).T
    assert np.abs((found.high - found.low) / (high - low) - 1).mean() < 0.05
    assert np.abs(found.low - low).max() < 0.25 * (high - low).mean()


def test_standard_error_is_the_sem_of_a_linear_effect_and_the_jackknife_of_a_ratio() -> None:
    values = activities(12)
    linear = estimate_effect("over_wt", **values)
    alone = (values["y_mut"] - values["y_control"]) / values["y_wt"]
    np.testing.assert_allclose(linear.sem, stats.sem(alone, axis=1), rtol=1e-12)
    np.testing.assert_allclose(linear.sem, [DescrStatsW(row).std_mean for row in alone], rtol=1e-12)

    ratio = estimate_effect("over_control", **of("over_control", values))
    for i in range(3):
        mut, control = values["y_mut"][i], values["y_control"][i]
        left_out = [np.delete(mut, k).mean() / np.delete(control, k).mean() - 1 for k in range(12)]
        assert ratio.sem[i] == pytest.approx(np.sqrt(11 * np.var(left_out)), rel=1e-12)


@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("n", [8, 10, 30, 100])
def test_interval_covers_the_truth_as_often_as_it_says(name: str, n: int) -> None:
    found = estimate_effect(name, **of(name, activities(n, rows=1000, seed=n)), n_resamples=1000)
    covered = (found.low <= TRUE[name]) & (found.high >= TRUE[name])
    assert 0.93 <= covered.mean() <= 0.97


def test_the_fewest_shuffles_that_go_unwarned_cover_about_as_often() -> None:
    found = estimate_effect("over_wt", **of("over_wt", activities(6, rows=4000)), n_resamples=1000)
    covered = (found.low <= TRUE["over_wt"]) & (found.high >= TRUE["over_wt"])
    assert 0.925 <= covered.mean() <= 0.97


def test_pairing_through_the_background_makes_the_interval_narrow() -> None:
    values = of("over_control", activities(30))
    mixed = {**values, "y_control": values["y_control"][:, ::-1]}
    paired, unpaired = (estimate_effect("over_control", **v) for v in (values, mixed))
    assert ((paired.high - paired.low) < 0.75 * (unpaired.high - unpaired.low)).all()


def test_what_does_not_vary_has_no_uncertainty_at_all() -> None:
    found = estimate_effect(
        "epistasis", **{name: np.full((1, 7), np.float32(0.1)) for name in ("y_wt", "y_1", "y_2", "y_both")}
    )
    assert found.effect == found.sem == found.low == found.high == 0


def test_tensors_axes_and_broadcasting() -> None:
    values = activities(9)
    expected = estimate_effect("over_wt", **values)
    turned = {name: torch.from_numpy(array.T.copy()) for name, array in values.items()}
    found = estimate_effect("over_wt", axis=0, **turned)
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)
    deep = {name: array[:, :, None] * np.array([1.0, 2.0]) for name, array in values.items()}
    found = estimate_effect("over_wt", axis=1, **deep)
    assert found.sem.shape == (3, 2)
    np.testing.assert_array_equal(found.low[:, 1], expected.low)


def test_rows_do_not_depend_on_what_is_beside_them() -> None:
    values = activities(10, rows=50)
    whole = estimate_effect("over_control", **of("over_control", values))
    for rows in (slice(7, 8), slice(20, 43)):
        part = estimate_effect("over_control", **{name: v[rows] for name, v in of("over_control", values).items()})
        for one, other in zip(part, whole):
            assert one.tobytes() == other[rows].tobytes()


def test_one_shuffle_gives_an_effect_without_uncertainty() -> None:
    found = estimate_effect("necessity", y_wt=[[10.0]], y_mut=[[4.0]])
    assert found.effect == 0.6 and np.isnan([found.sem, found.low, found.high]).all()


@pytest.mark.parametrize("n", [2, 5])
def test_few_shuffles_are_warned_of_once(n: int) -> None:
    with pytest.warns(TangermemeWarning, match=f"from {n} shuffles covers less often.*at least 6") as caught:
        found = estimate_effect("necessity", **of("necessity", activities(n)))
    assert len(caught) == 1 and (found.low <= found.effect).all()


def test_undefined_effects_are_nan_and_the_others_are_not() -> None:
    values = activities(8)
    values["y_wt"][0] = 0
    values["y_mut"][1, 3] = np.nan
    with pytest.warns(TangermemeWarning, match="y_wt must be above 0.*1 of 3") as caught:
        found = estimate_effect("necessity", **of("necessity", values))
    assert len(caught) == 1
    for part in found:
        assert np.isnan(part).tolist() == [True, True, False]


def test_a_control_around_zero_has_no_interval() -> None:
    control = np.array([[-1.0, 2.0, 0.5, -0.5, 1.0, 0.2]])
    with pytest.warns(
        TangermemeWarning, match=r"over_control .* 1 of 1 intervals are NaN, for up to \d+ of 700"
    ) as caught:
        found = estimate_effect("over_control", y_control=control, y_mut=control + 1, n_resamples=700)
    assert len(caught) == 1 and found.effect > 0 and np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("name", EFFECTS)
def test_what_only_rounds_is_no_effect(name: str) -> None:
    rng, arguments = np.random.default_rng(0), activities_of(EFFECTS[name])
    exact = dict(zip(arguments, np.full((len(arguments), 1, 8), 7.3)))
    rounded = {key: values * (1 + 1e-6 * (1 + rng.uniform(0, 0.1, values.shape))) for key, values in exact.items()}
    rounded[arguments[0]] = exact[arguments[0]]
    found = estimate_effect(name, **rounded)
    neutral = float(name.startswith("fold"))
    assert (found.effect, found.sem, found.low, found.high) == (neutral, 0, neutral, neutral)
    changed = "y_mut" if "y_mut" in arguments else "y_both"
    larger = {**rounded, changed: exact[changed] * 1.0001}
    assert estimate_effect(name, **larger).effect != neutral
    assert estimate_effect(EFFECTS[name], **rounded) == found  # a function of `EFFECTS` under another name


def test_rounding_in_some_shuffles_only_stays_part_of_the_effect() -> None:
    y_mut = np.array([[1.0, 1.0 + 1e-7, 1.1]])
    with pytest.warns(TangermemeWarning, match="from 3 shuffles"):
        found = estimate_effect("necessity", y_wt=[[1.0]], y_mut=y_mut)
    assert found.effect == 1 - y_mut.mean() and found.sem > 0


def test_rounding_of_a_function_of_ones_own_is_left_alone() -> None:
    found = estimate_effect(lambda y_wt, y_mut: y_wt - y_mut, y_wt=[[1.0]], y_mut=np.full((1, 6), 1 + 1e-7))
    assert found.effect < 0 and found.high < 0


@pytest.mark.parametrize(
    ("name", "activities", "expected"),
    [
        ("difference", {"y_wt": [[-1.0]], "y_mut": [[-3.0] * 6]}, 2.0),
        ("difference", {"y_control": [[-3.0] * 6], "y_mut": [[-1.0] * 6]}, 2.0),
        ("log_fold", {"y_wt": [[8.0]], "y_mut": [[2.0] * 6]}, 2.0),
        ("log_fold", {"y_control": [[2.0] * 6], "y_mut": [[8.0] * 6]}, 2.0),
        ("epistasis_difference", {"y_wt": [[-1.0]], "y_1": [[-2.0]], "y_2": [[-3.0]], "y_both": [[-3.5] * 6]}, 0.5),
    ],
)
def test_other_scales_have_the_sign_of_the_ratios(name: str, activities: dict[str, Any], expected: float) -> None:
    found = estimate_effect(name, **activities)
    assert found.effect == found.low == found.high == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_wt": [[1.0]]}, "those of the effect, y_wt, y_mut; got y_wt"),
        ({"y_wt": [[1.0] * 3], "y_mut": [[1.0] * 4]}, r"y_wt \(1, 3\), y_mut \(1, 4\)"),
        ({"y_wt": [1.0], "y_mut": [[1.0, 2.0]]}, r"same axes.*y_wt \(1,\), y_mut \(1, 2\)"),
        ({"y_wt": [[1.0]], "y_mut": [[1.0, 2.0]], "axis": 2}, "shuffles on axis 2"),
        ({"y_wt": [[1.0]], "y_mut": [[1.0, 2.0]], "confidence": 95}, "confidence must be between 0 and 1; got 95"),
        ({"y_wt": [[1.0]], "y_mut": [[1.0, 2.0]], "n_resamples": 0}, "n_resamples must be at least 1; got 0"),
        ({"y_wt": [[1.0]], "y_mut": [[1.0, 2.0]], "random_state": None}, "random_state must be .*; got None"),
        ({"y_wt": [[1.0]], "y_mut": [[1.0, 2.0]], "random_state": [0, 1]}, "random_state must be .*; got \\[0, 1\\]"),
    ],
)
def test_bad_activities_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate_effect("necessity", **arguments)
    with pytest.raises(ValueError, match=r"functions or among .*over_wt.*; got 'sufficiency'"):
        estimate_effect("sufficiency", y_mut=[[1.0]])


def test_an_effect_is_of_means_and_not_a_mean_of_effects() -> None:
    mut, control = np.array([[1.0, 9.0] * 3]), np.array([[1.0, 3.0] * 3])
    assert estimate_effect("over_control", y_mut=mut, y_control=control).effect == tile_effect_over_control(5.0, 2.0)
    assert EFFECTS["necessity"] is normalized_effect


def test_large_resamples_are_the_same_and_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.random.default_rng(0).random((2, 8))
    kept = estimate_effect(lambda y_mut: y_mut, y_mut=y, n_resamples=500, random_state=77)
    assert resampling._kept_resamples.cache_info().currsize
    monkeypatch.setattr(resampling, "_KEPT_COUNTS", 8 * 500 - 1)
    resampling._kept_resamples.cache_clear()
    drawn = estimate_effect(lambda y_mut: y_mut, y_mut=y, n_resamples=500, random_state=77)
    assert resampling._kept_resamples.cache_info().currsize == 0
    assert all(np.array_equal(a, b) for a, b in zip(kept, drawn))
