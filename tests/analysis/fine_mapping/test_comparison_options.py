"""compare_fine_mapping does not depend on batches or order, and names what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from comparison_cases import (
    CRE,
    IDS,
    SCORED,
    SEEDS,
    TSS,
    WIDTH,
    Network,
    compare,
    curve_of,
    everything,
    model,
    objective,
    sequences,
)
from helpers import shuffles
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.utils import PackedSequence, TangermemeWarning

from tangermeme_creme.analysis.fine_mapping import rank, retention_curve
from tangermeme_creme.engine import ActivationCache
from tangermeme_creme.engine.incremental import IncrementalModel


def test_rankings_of_ones_own_come_after_the_others() -> None:
    mine = {"mine": torch.randn(2, WIDTH), "twice": torch.randn(2, 2, WIDTH)}
    result = compare(methods=["random"], rankings=mine)
    assert result.summary["method"].tolist() == ["random", "mine", "twice"] * 2
    for i in range(2):
        for name, ranking in mine.items():
            expected = retention_curve(
                model(), sequences()[[i]], TSS[i], CRE[i], ranking[[i]], steps=6, objective=objective,
                random_state=[SEEDS[i]], **SCORED,
            )  # fmt: skip
            found = curve_of(result, i, name, expected.score.shape[1] - 1)
            np.testing.assert_allclose(list(found.values()), expected.score[0, -1], atol=1e-4)


def test_neither_other_methods_nor_other_examples_change_a_curve() -> None:
    for method in ("search", "saliency_absolute", "random"):
        alone = compare(
            methods=[method], X=sequences()[1:], tss_tile=TSS[1], cre_tile=CRE[1], random_state=SEEDS[1:], ids=IDS[1:]
        )
        expected = everything().curves
        expected = expected[(expected["example"] == "right") & (expected["method"] == method)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.curves, expected, rtol=1e-5, atol=1e-6)


def test_packed_sequences_given_backgrounds_and_batch_size_change_nothing() -> None:
    backgrounds = torch.stack([shuffles(x, 5, seed) for x, seed in zip(sequences(), SEEDS)])
    for options in (
        {"X": PackedSequence.from_one_hot(sequences())},
        {"backgrounds": backgrounds},
        {"batch_size": 3},
    ):
        found = compare(methods=["search", "saliency", "deep_lift_shap"], **options)
        expected = everything().curves
        expected = expected[expected["method"].isin(found.curves["method"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(found.curves, expected, rtol=1e-4, atol=1e-5)


def test_a_silencer_is_ranked_by_what_it_takes_away() -> None:
    upside_down = compare(
        methods=["search", "saliency", "saliency_absolute"], direction="min",
        objective=lambda y: 6 - objective(y),
    )  # fmt: skip
    left = upside_down.curves["example"] == "left"
    expected = everything().curves
    expected = expected[(expected["example"] == "left") & expected["method"].isin(upside_down.curves["method"])]
    pd.testing.assert_frame_equal(
        upside_down.curves[left].reset_index(drop=True), expected.reset_index(drop=True), rtol=1e-4, atol=1e-5
    )


def test_a_cre_without_an_effect_is_named_once_and_has_no_numbers() -> None:
    methods = ["search", "saliency", "random"]
    with pytest.warns(TangermemeWarning) as caught:
        result = compare(methods=methods, direction=["max", "min"])
    assert len(caught) == 1
    assert "1 of 2 CREs have no activity or effect to keep" in str(caught[0].message)
    assert str(caught[0].message).endswith("example 1.")
    right = result.summary[result.summary["example"] == "right"]
    assert right[["fewest_bp", "area"]].isna().all(axis=None)
    assert set(result.kept["example"]) == set(result.overlap["example"]) == {"left"}
    assert result.search.mask[1].all()


def test_an_incremental_model_gives_the_same_and_runs_whole_sequences_once() -> None:
    split = IncrementalModel(model().local, model().head)
    cache = ActivationCache()
    methods = ["saliency", "search", "integrated_gradients", "random"]
    found = compare(model=split, methods=methods, cache=cache)
    whole = compare(methods=methods)
    pd.testing.assert_frame_equal(found.curves, whole.curves, rtol=1e-4, atol=1e-4)
    assert cache.work.n_full == 2 * 3  # the controls, once each
    assert cache.work.n_partial > 100
    whole = compare(model=split, methods=["corrected_saliency"], incremental=True)  # which runs whole sequences
    torch.testing.assert_close(whole.importance["corrected_saliency"], everything().importance["corrected_saliency"])


def test_args_follow_their_examples() -> None:
    class Scaled(Network):
        def forward(self, X: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
            return super().forward(X) * factor

    args = [torch.tensor([[1.0], [2.0]])]
    for where in ("wild_type", "backgrounds"):
        methods = ["search", "saliency", "integrated_gradients", "deep_lift_shap"]
        options = {"model": Scaled(), "methods": methods, "attribute_in": where}
        both = compare(args=args, **options)
        alone = compare(
            X=sequences()[1:], tss_tile=TSS[1], cre_tile=CRE[1], random_state=SEEDS[1:], ids=IDS[1:],
            args=[args[0][1:]], **options,
        )  # fmt: skip
        part = both.curves[both.curves["example"] == "right"].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.curves, part, rtol=1e-4, atol=1e-5)


def test_progress_counts_methods_and_names_the_cre(capsys: pytest.CaptureFixture[str]) -> None:
    compare(methods=["search", "random"], verbose=True)
    shown = capsys.readouterr().err
    assert "compare_fine_mapping: 100%" in shown and "4/4" in shown and "CRE 2 of 2, random" in shown


def test_the_model_is_left_as_it_was() -> None:
    network = Network().train()
    compare(model=network, methods=["search", "saliency", "deep_lift_shap"])
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "method": ({"methods": ["search", "gradcam"]}, "methods must be of search, .*; got 'gradcam' at index 1"),
    "text": ({"methods": "search"}, "methods must be a sequence of names; got 'search'"),
    "no method": ({"methods": []}, "methods must name at least one; got none"),
    "twice": ({"methods": ["random", "random"]}, "different names; got 'random' twice"),
    "name of a method": ({"methods": ["random"], "rankings": {"random": torch.zeros(2, WIDTH)}}, "got 'random' twice"),
    "no motifs": ({"methods": ["motifs"], "motifs": None}, "method 'motifs' must have motifs.*; got None"),
    "ranking": ({"rankings": {"mine": torch.zeros(2, 9)}}, r"mine must have shape \(2, 40\).*; got \(2, 9\)"),
    "where": ({"attribute_in": "genome"}, "attribute_in must be 'wild_type' or 'backgrounds'; got 'genome'"),
    "name of the truth": ({"rankings": {"truth": torch.zeros(2, WIDTH)}}, "must not be named 'truth'"),
    "n_steps": ({"n_steps": 0}, "n_steps must be at least 1; got 0"),
    "motif_threshold": ({"motif_threshold": 5}, r"motif_threshold must be a p-value in \(0, 1\]; got 5"),
    "stages": ({"scales": (10,)}, "scales, thresholds and prune must have one entry per stage; got 1, 2 and 2"),
    "threshold": ({"threshold": 1.2}, "threshold must be below 1, the score of the whole CRE; got 1.2"),
    "nan": ({"threshold": float("nan")}, "threshold must be below 1.*; got nan"),
    "threshold of a silencer": (
        {"direction": "min", "score": "activity"},
        "threshold must be above 1 for direction='min' with score='activity'.*; got 0.6",
    ),
    "one threshold for both": (
        {"direction": ["max", "min"], "score": "activity", "threshold": 1.2}, "threshold must be below 1.*; got 1.2",
    ),
    "ids twice": ({"ids": ["a", "a"]}, "ids must be different names; got 'a' twice"),
    "draws": ({"draws": 0}, "draws must be at least 1; got 0"),
    "steps": ({"steps": [50]}, "at most the 40 bp of the CRE; got 50 at index 0"),
    "ids": ({"ids": ["a"]}, "ids"),
    "direction": ({"direction": "up"}, "direction must be 'min' or 'max'; got 'up'"),
    "truth": ({"truth": Path("known.bed")}, "truth must come with loci"),
    "overlap": ({"tss_tile": (0, 30)}, "cre_tile must not overlap tss_tile"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named_before_anything_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options, message = BAD[name]
    sequences()  # which asks the model
    monkeypatch.setattr(Network, "forward", lambda self, X: pytest.fail("the model was called"))
    with pytest.raises(ValueError, match=message):
        compare(**options)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        compare(colour="red")


def test_an_error_says_which_example_it_was() -> None:
    class Sometimes(Network):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = super().forward(X)
            return y * torch.where((X[:, :, 110:150] == sequences()[1, :, 110:150]).all(), torch.nan, 1.0)

    with pytest.raises(ValueError, match="NaN") as caught:
        compare(model=Sometimes(), methods=["random"])
    assert caught.value.__notes__ == ["Raised by method random for example 'right' of compare_fine_mapping."]


def test_unknown_bases_are_zeros_to_every_method() -> None:
    """DeepLIFT runs on a sequence that has some, and an unknown base of the CRE has no importance to anything."""
    X = sequences().clone()
    X[0, :, 20:23] = X[0, :, 100] = X[1, :, 5:9] = 0
    result = compare(X=X)
    assert result.curves.loc[result.curves["example"] == "left", "score"].notna().all()
    for values in result.importance.values():
        assert not values[0, 10:13].any() and values[0].any()
    backgrounds = torch.stack([shuffles(x, 3, seed) for x, seed in zip(X, SEEDS)]).float()
    with pytest.warns(UserWarning, match="unknown"):
        expected = deep_lift_shap(_Objective(), X.float(), references=backgrounds, only_warn=True)
    for i, (start, end) in enumerate(CRE):
        torch.testing.assert_close(
            result.importance["deep_lift_shap"][i], expected[i, :, start:end].sum(0).double(), rtol=1e-4, atol=1e-6
        )


class _Objective(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = model()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return objective(self.model(X))[:, None]


def test_the_largest_gradient_of_an_unknown_base_does_not_count() -> None:
    values, codes = torch.tensor([[1.0, 0.5], [0.0, -3.0], [0.0, 0.0], [0.0, 0.0]]), torch.tensor([4, 0])
    for name in ("saliency", "input_x_gradient", "corrected_saliency"):
        assert rank(f"{name}_absolute", values * (name == "saliency"), codes, "max")[0] == 0
    assert rank("saliency_absolute", values, codes, "max").tolist() == [0, 3]


def test_a_search_that_needs_no_base_keeps_none() -> None:
    """Where the TSS tile alone is at the threshold, so that the curve's last point is the fewest."""
    result = compare(
        methods=["search", "random"],
        score="activity",
        objective=lambda y: 100 + objective(y),
        thresholds=(1 - 1e-9,) * 2,
    )
    fewest = result.summary.set_index(["example", "method"])["fewest_bp"]
    assert (fewest == 0).all() and (result.search.mask.sum(1) > 0).all()
    assert len(result.kept) == 0 and (result.overlap["bp"] == 0).all()


def test_the_search_ends_where_it_is_counted_unless_told_otherwise() -> None:
    default = compare(methods=["search"], thresholds=None)
    told = compare(methods=["search"], thresholds=(0.8, 0.6))
    assert default.search.trace == told.search.trace


def test_integer_args_are_warned_of_once() -> None:
    class Scaled(Network):
        def forward(self, X: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
            return super().forward(X) * factor

    with pytest.warns(TangermemeWarning) as caught:
        compare(model=Scaled(), args=[torch.ones(2, 1, dtype=torch.int64)], methods=["search", "saliency", "random"])
    assert len(caught) == 1 and "casts args[0]" in str(caught[0].message)
