"""Test adaptive numbers of shuffles: the shuffles of a fixed run, fewer if fewer are enough, and `n_max`."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from contract_cases import CRE, POSITIONS, TILES, TSS, Counts, CountsRows, Scaled, TwoOutputs, sequences
from scipy import stats
from tangermeme.ersatz import dinucleotide_shuffle, shuffle
from tangermeme.utils import PackedSequence, TangermemeWarning

import tangermeme_creme as creme
from tangermeme_creme.analysis.stats import EFFECTS, adaptive_n, summarize_effects
from tangermeme_creme.sequence import later_shuffles, shuffle_backgrounds
from tangermeme_creme.support import collected


class Positive(Counts):
    """Predict as `Counts`, with all tracks above zero."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return super().forward(X) + 20_000


TESTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str]] = {
    "context": (creme.context_dependence_test, (TSS,), "context_effect"),
    "necessity": (creme.necessity_test, (TILES,), "necessity"),
    "sufficiency": (creme.sufficiency_test, (TSS, TILES), "over_control"),
    "distance": (creme.distance_test, (TSS, CRE, POSITIONS), "over_control"),
    "set": (creme.tile_set_sufficiency_test, (TSS, TILES, [2, 0, 3]), "over_wt"),
    "map": (creme.interaction_map, (TILES,), "log_epistasis"),  # the counts themselves add up
}
every = pytest.mark.parametrize("name", TESTS)


def fixed_and_adaptive(name: str, tol: float, model: torch.nn.Module | None = None, **kwargs: Any) -> tuple[Any, Any]:
    test, what, effect = TESTS[name]
    model = model or Positive()
    fixed = test(model, sequences(), *what, n=24, random_state=3)
    return fixed, adaptive_n(test, model, sequences(), *what, effect=effect, tol=tol, n=4, random_state=3, **kwargs)


def shuffle_axis(name: str, field: str) -> int:
    return 1 if field in ("y_control", "y_original") or name == "context" else 2


@every
def test_shuffles_are_the_first_of_a_fixed_run(name: str) -> None:
    middle = float(np.median(first_errors(name)))
    fixed, found = fixed_and_adaptive(name, middle, n_max=24)
    assert len(set(found.n.tolist())) > 1  # some examples need fewer shuffles than others
    for field, whole in fixed._asdict().items():
        part = getattr(found.result, field)
        if field == "y_wt":
            assert torch.equal(part, whole)
            continue
        axis = shuffle_axis(name, field)
        for i, n in enumerate(found.n.tolist()):
            assert torch.equal(part[i].narrow(axis - 1, 0, n), whole[i].narrow(axis - 1, 0, n)), field
            rest = part.shape[axis] - n
            assert part[i].narrow(axis - 1, n, rest).isnan().all()


def first_errors(name: str) -> list[float]:
    """Return the largest standard error of each example after the first block."""
    return fixed_and_adaptive(name, 1e-12, n_max=4)[1].sem.tolist()


def largest_errors(frame: pd.DataFrame, effect: str) -> pd.Series:
    """Compute the largest standard error of each example from the summary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TangermemeWarning)  # of intervals from few shuffles
        summary = summarize_effects(frame, effect, n_resamples=2)
    return summary.groupby("example")[f"{effect}_sem"].max()


@every
def test_examples_stop_once_their_standard_error_is_below_tol(name: str) -> None:
    middle, effect = float(np.median(first_errors(name))), TESTS[name][2]
    _, found = fixed_and_adaptive(name, middle, n_max=24)
    frame = found.to_frame()
    largest = largest_errors(frame, effect)
    np.testing.assert_array_equal(found.sem, largest)
    assert found.converged.tolist() == (largest < middle).tolist()
    assert frame.groupby("example")["shuffle"].nunique().tolist() == found.n.tolist()
    before = frame[frame["shuffle"] < frame["example"].map(dict(enumerate((found.n - 4).tolist())))]
    assert set(before["example"]) == set((found.n > 4).nonzero().flatten().tolist())
    assert (largest_errors(before, effect) >= middle).all()


def test_an_end_comes_at_n_max_with_a_flag() -> None:
    model = CountsRows()
    found = adaptive_n(
        creme.necessity_test, model, sequences(), TILES, effect="necessity", tol=1e-12, n=4, n_max=10, random_state=3
    )
    assert found.n.tolist() == [10] * 3 and not found.converged.any() and (found.sem > 1e-12).all()
    assert found.result.y_mut.shape[2] == 10
    assert model.rows == 3 * (10 * len(TILES) + 3) + 3  # each shuffle once; the wild type, and one again, per block


def test_examples_depend_on_neither_order_nor_company() -> None:
    X, tol = sequences(), float(np.median(first_errors("necessity")))
    options = {"effect": "necessity", "tol": tol, "n": 4, "n_max": 24}
    together = adaptive_n(creme.necessity_test, Counts(), X, TILES, random_state=[3, 4, 5], **options)
    for i in range(3):
        alone = adaptive_n(creme.necessity_test, Counts(), X[i : i + 1], TILES, random_state=[3 + i], **options)
        n = int(alone.n)
        assert n == together.n[i] and alone.sem[0] == together.sem[i] and alone.converged[0] == together.converged[i]
        assert torch.equal(alone.result.y_mut[0], together.result.y_mut[i, :, :n])


def test_rows_of_arguments_follow_their_examples() -> None:
    X = sequences()
    tss, cre = [(100, 140), (90, 130), (101, 141)], [(150, 180), (140, 170), (10, 40)]
    backgrounds = shuffle_backgrounds(X, n=24, random_state=50)
    scale = torch.arange(1.0, 4)[:, None].expand(3, 6)
    what = (Scaled(), X, tss, cre, [50, 190])
    common: dict[str, Any] = {"args": [scale], "backgrounds": backgrounds}
    fixed = creme.distance_test(*what, n=24, **common)
    first = adaptive_n(creme.distance_test, *what, effect="over_control", tol=1e-12, n=4, n_max=4, **common)
    tol = float(first.sem.median())
    found = adaptive_n(creme.distance_test, *what, effect="over_control", tol=tol, n=4, n_max=24, **common)
    assert len(set(found.n.tolist())) > 1
    for i, n in enumerate(found.n.tolist()):
        assert torch.equal(found.result.y_mut[i, :, :n], fixed.y_mut[i, :, :n])
        assert torch.equal(found.result.y_original[i, :n], fixed.y_original[i, :n])


def test_several_outputs_packed_input_and_several_effects() -> None:
    X = PackedSequence.from_one_hot(sequences())
    options: dict[str, Any] = {"tol": 0.5, "n": 4, "random_state": 3}
    found = adaptive_n(
        creme.sufficiency_test, TwoOutputs(), X, TSS, TILES, effect=["over_wt", "over_control"], **options
    )
    single = adaptive_n(creme.sufficiency_test, Counts(), X, TSS, TILES, effect="over_control", **options)
    assert isinstance(found.result.y_mut, list) and len(found.result.y_mut) == 2
    assert (found.n >= single.n).all() and (found.n > single.n).any()  # all effects must have a small standard error
    for i, n in enumerate(single.n.tolist()):
        assert torch.equal(found.result.y_mut[0][i, :, :n], single.result.y_mut[i, :, :n])
    assert found.to_frame(ids=list("abc"))["output"].unique().tolist() == [0, 1]


def test_effects_of_ones_own_are_in_their_own_units() -> None:
    def change(y_wt: Any, y_mut: Any) -> Any:
        return y_mut - y_wt

    found = adaptive_n(
        creme.necessity_test, Counts(), sequences(), TILES, effect=change, tol=1e-9, n_max=10, random_state=0
    )
    drawn = found.result.y_mut.double()
    expected = stats.sem(drawn.numpy(), axis=2).max(axis=(1, 2, 3))
    np.testing.assert_allclose(found.sem, expected, rtol=1e-9)


def test_undefined_effects_hold_nothing_up() -> None:
    class Shifted(Counts):
        """Track 0 is below zero everywhere; example 2 is in track 1 too."""

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = super().forward(X)
            return torch.stack([-y[..., 0], y[..., 1] - 1e6 * X[:, 0, :1]], dim=-1)

    X = sequences()
    X[:, :, 0] = torch.tensor([[0.0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
    found = adaptive_n(creme.necessity_test, Shifted(), X, [(30, 60)], effect="necessity", tol=10.0, random_state=0)
    assert found.n.tolist() == [10, 10, 10] and found.converged.tolist() == [True, True, False]
    assert found.sem.isnan().tolist() == [False, False, True]


def test_degenerate_tiles_are_announced_once() -> None:
    X = sequences()
    X[:, :, 0:30] = 0
    with pytest.warns(TangermemeWarning, match=r"3 of 12 .* unchanged") as caught:
        found = adaptive_n(
            creme.necessity_test, Counts(), X, TILES, effect="necessity", tol=1e-12, n=4, n_max=12, random_state=0
        )
    assert len(caught) == 1
    assert torch.equal(found.result.y_mut[:, 0], found.result.y_wt[:, None].expand_as(found.result.y_mut[:, 0]))


def test_later_blocks_add_nothing_to_a_log() -> None:
    """The filters of `warnings` do not keep notices from those who collect them."""
    X = sequences()
    X[:, :, 0:30] = 0
    with collected() as notices:
        adaptive_n(
            creme.necessity_test, Counts(), X, TILES, effect="necessity", tol=1e-12, n=4, n_max=12, random_state=0
        )
    assert len(notices) == 1 and "3 of 12" in notices[0]


@pytest.mark.parametrize(("name", "ratio"), [("necessity", "necessity"), ("sufficiency", "over_control")])
@pytest.mark.parametrize("scale", ["difference", "log_fold"])
def test_other_scales_are_those_of_the_summary(name: str, ratio: str, scale: str) -> None:
    test, what, _ = TESTS[name]
    found = adaptive_n(test, Positive(), sequences(), *what, effect=scale, tol=1e-12, n=6, n_max=6, random_state=3)
    summary = summarize_effects(found.to_frame(), [scale, ratio], n_resamples=2)
    assert found.sem.tolist() == summary.groupby("example")[f"{scale}_sem"].max().tolist()
    assert (np.sign(summary[scale]) == np.sign(summary[ratio])).all()


@pytest.mark.parametrize("function", [dinucleotide_shuffle, shuffle])
def test_later_shuffles_go_on_where_the_first_ended(function: Callable[..., Any]) -> None:
    X = sequences(1)
    whole = function(X, start=20, end=90, n=7, random_state=5)
    assert torch.equal(later_shuffles(function, 3)(X, start=20, end=90, n=4, random_state=5), whole[:, 3:])
    assert later_shuffles(function, 0) is function
    assert inspect.signature(later_shuffles(function, 3)) == inspect.signature(function)


def test_errors_of_a_shuffle_function_are_its_own() -> None:
    def broken(X: torch.Tensor, n: int, random_state: int) -> torch.Tensor:
        raise ValueError("no luck")

    with pytest.raises(ValueError, match="no luck"):
        later_shuffles(broken, 3)(sequences(1), n=4, random_state=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0}, "tol must be above 0; got 0"),
        ({"tol": float("nan")}, "tol must be above 0; got nan"),
        ({"n": 1}, "n must be at least 2; got 1"),
        ({"n": 20, "n_max": 10}, "n_max must be at least 20; got 10"),
        ({"effect": "strength"}, "among .*; got 'strength'"),
        ({"effect": "over_control"}, "must have column 'y_control'"),
        ({"test": creme.higher_order_interaction_test}, "must be one of .*; got higher_order_interaction_test"),
        ({"test": creme.sufficiency_test, "what": (TSS, TILES), "backgrounds": torch.zeros(3, 20, 4, 240)},
         "at least n_max, 100, per example; got 20"),
    ],
)  # fmt: skip
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "test": creme.necessity_test,
        "what": (TILES,),
        "effect": "necessity",
        "tol": 1.0,
        **options,
    }
    test, what = given.pop("test"), given.pop("what")
    with pytest.raises(ValueError, match=message):
        adaptive_n(test, Counts(), sequences(), *what, **given)


def test_every_named_effect_takes_columns_that_some_test_has() -> None:
    columns = set()
    for test, what, _ in TESTS.values():
        columns |= set(test(Counts(), sequences(1), *what, n=1, random_state=0).to_frame().columns)
    for effect in EFFECTS.values():
        assert set(inspect.signature(effect).parameters) <= columns
