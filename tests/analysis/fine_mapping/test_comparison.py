"""compare_fine_mapping against its parts, called one by one on the same backgrounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from comparison_cases import (
    CRE,
    IDS,
    MOTIFS,
    SCORED,
    SEARCH,
    SEEDS,
    TSS,
    WIDTH,
    compare,
    curve_of,
    embedded,
    everything,
    gain,
    model,
    objective,
    sequences,
)
from helpers import shuffles
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saliency import saliency

from tangermeme_creme import fine_tile_search
from tangermeme_creme.analysis.fine_mapping import (
    METHODS,
    FineMappingComparison,
    captum_attribution,
    fewest_bp,
    motif_hits,
    motif_mask,
    random_ranking,
    retention_curve,
    summarize_curves,
)


def test_the_search_is_that_of_fine_tile_search_and_ends_at_the_control() -> None:
    result = everything()
    expected = fine_tile_search(
        model(), sequences(), TSS, CRE, objective=objective, random_state=SEEDS, **SEARCH, **SCORED
    )
    assert result.search.kept == expected.kept and torch.equal(result.search.mask, expected.mask)
    assert result.search.trace == expected.trace and all(len(trace) > 3 for trace in expected.trace)
    for i, trace in enumerate(expected.trace):
        points = {step.bp_kept: step.score for step in trace}
        assert curve_of(result, i, "search") == {**points, 0: pytest.approx(0, abs=1e-6)}
        row = summary_of(result).loc[(IDS[i], "search")]
        assert (row["own_bp"], row["own_score"]) == (trace[-1].bp_kept, trace[-1].score)


def summary_of(result: FineMappingComparison) -> pd.DataFrame:
    return result.summary.set_index(["example", "method"])


def importances() -> dict[str, torch.Tensor]:
    """Each attribution of the wild type at all four bases, shape (N, 4, W), by the functions themselves."""
    X, options = sequences(), {"objective": objective, "span": CRE}
    backgrounds = torch.stack([shuffles(x, 3, seed) for x, seed in zip(X, SEEDS)]).float()
    values = {name: captum_attribution(model(), X, method=name, **options) for name in ("saliency", "input_x_gradient")}
    values["integrated_gradients"] = captum_attribution(
        model(), X, method="integrated_gradients", baselines=0.25, n_steps=8, **options
    )
    values["corrected_saliency"] = captum_attribution(
        model(), X, method=saliency, additional_func_kwargs={"hypothetical": True}, **options
    )
    scalar = _Objective(model())
    shap = deep_lift_shap(scalar, X.float(), references=backgrounds, hypothetical=True)
    values["deep_lift_shap"] = torch.stack([row[:, start:end] for row, (start, end) in zip(shap, CRE)])
    return values


class _Objective(torch.nn.Module):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return objective(self.model(X))[:, None]


def own_bases() -> torch.Tensor:
    return torch.stack([x[:, start:end] for x, (start, end) in zip(sequences(), CRE)])


def rankings() -> dict[str, torch.Tensor]:
    ranked = {}
    for name, values in importances().items():
        summed = name in ("input_x_gradient", "integrated_gradients")
        signed = values.sum(1) if summed else (values * own_bases()).sum(1)
        ranked[name] = signed
        ranked[f"{name}_absolute"] = values.abs().amax(1) if name == "saliency" else signed.abs()
    ranked["motifs"] = motif_mask(sequences(), MOTIFS, 0.07, span=CRE)
    ranked["random"] = random_ranking(2, WIDTH, draws=3)
    return ranked


@pytest.mark.parametrize("method", [method for method in METHODS if method != "search"])
def test_curves_are_those_of_the_ranking(method: str) -> None:
    ranking = rankings()[method]
    for i in range(2):
        steps = [*range(WIDTH, 0, -6), *([int(ranking[i].sum())] if method == "motifs" else [])]
        expected = retention_curve(
            model(), sequences()[[i]], TSS[i], CRE[i], ranking[[i]], steps=steps, objective=objective,
            random_state=[SEEDS[i]], **SCORED,
        )  # fmt: skip
        for d in range(expected.score.shape[1]):
            found = curve_of(everything(), i, method, d)
            assert list(found) == expected.bp_kept.tolist()
            np.testing.assert_allclose(list(found.values()), expected.score[0, d], atol=1e-4)


def test_importance_is_signed_and_at_the_observed_base() -> None:
    ranked = rankings()
    assert set(everything().importance) == set(importances())
    for name, values in everything().importance.items():
        torch.testing.assert_close(values, ranked[name].double(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(everything().importance["saliency"], everything().importance["input_x_gradient"])


def test_the_summary_is_that_of_the_curves() -> None:
    result = everything()
    expected = summarize_curves(result.curves, threshold=0.6)
    pd.testing.assert_frame_equal(result.summary[expected.columns.tolist()], expected)
    assert result.summary["method"].tolist() == [*METHODS] * 2
    assert result.summary.loc[result.summary["method"] == "random", "draws"].tolist() == [3, 3]
    own = result.summary[result.summary["own_bp"].notna()]
    assert set(own["method"]) == {"search", "motifs"}
    mask = motif_mask(sequences(), MOTIFS, 0.07, span=CRE)
    motifs = own[own["method"] == "motifs"]
    assert motifs["own_bp"].tolist() == mask.sum(1).tolist() and mask.any(1).all()
    for i, row in enumerate(motifs.itertuples()):
        assert row.own_score == curve_of(result, i, "motifs")[row.own_bp]


def kept_at_fewest(method: str, i: int, draw: int = 0) -> set[int]:
    table = everything().kept
    rows = table[(table["example"] == IDS[i]) & (table["method"] == method) & (table["draw"] == draw)]
    return {p for start, end in rows[["start", "end"]].itertuples(index=False) for p in range(start, end)}


def test_kept_bases_are_the_fewest_at_the_threshold() -> None:
    ranked = rankings()
    for i, (start, _) in enumerate(CRE):
        for method in ("saliency", "integrated_gradients_absolute", "deep_lift_shap"):
            curve = curve_of(everything(), i, method)
            bp = int(fewest_bp(list(curve), list(curve.values()), threshold=0.6))
            best = ranked[method][i].argsort(descending=True)[:bp]
            assert kept_at_fewest(method, i) == {start + int(p) for p in best}
        trace = everything().search.trace[i]
        steps = [step for step in trace if step.score >= 0.6]
        last = min(steps, key=lambda step: step.bp_kept)
        gone = {p for step in trace[: trace.index(last) + 1] for a, b in step.removed for p in range(a, b)}
        assert kept_at_fewest("search", i) == set(range(start, start + WIDTH)) - gone


def test_overlap_is_that_of_the_kept_bases_and_of_the_truth() -> None:
    truth = pd.DataFrame({"example": ["left", "right"], "start": [12, 100], "end": [31, 118]})
    table = compare(methods=["search", "saliency", "random"], truth=truth).overlap
    table = table.set_index(["example", "method", "other"])
    for i, known in enumerate((set(range(12, 31)), set(range(110, 118)))):
        search, ranked = kept_at_fewest("search", i), kept_at_fewest("saliency", i)
        assert table.loc[(IDS[i], "search", "saliency"), "shared_bp"] == len(search & ranked)
        row = table.loc[(IDS[i], "search", "truth")]
        assert (row["bp"], row["other_bp"], row["shared_bp"]) == (len(search), len(known), len(search & known))
        draws = [kept_at_fewest("random", i, d) for d in range(3)]
        assert table.loc[(IDS[i], "random", "truth"), "shared_bp"] == pytest.approx(
            np.mean([len(draw & known) for draw in draws])
        )


def test_motif_hits_are_named_by_example() -> None:
    expected = motif_hits(sequences(), MOTIFS, 0.07, span=CRE)
    found = everything().hits
    assert len(found) > 2
    assert found.drop(columns="example").equals(expected.drop(columns="example"))
    assert found["example"].tolist() == [IDS[i] for i in expected["example"]]
    assert compare(methods=["random"]).hits is None


def test_attributions_in_the_backgrounds_are_of_the_scored_sequences() -> None:
    """From the control of each background to its CRE, DeepLIFT and integrated gradients add up to the effect."""
    names = ["saliency", "integrated_gradients", "deep_lift_shap"]
    result = compare(methods=names, attribute_in="backgrounds", n_steps=200)
    for i, (start, end) in enumerate(CRE):
        x, whole = sequences()[i].float(), embedded(sequences()[i], i)[1]
        for name in names[1:]:
            assert float(result.importance[name][i].sum()) == pytest.approx(gain(sequences()[i], i), abs=2e-3)
        whole.requires_grad_()
        (slope,) = torch.autograd.grad(objective(model()(whole)).sum() / 3, whole)
        expected = (slope.sum(0)[:, start:end] * x[:, start:end]).sum(0)
        torch.testing.assert_close(result.importance["saliency"][i], expected.double(), rtol=1e-4, atol=1e-6)
    assert not torch.allclose(result.importance["saliency"], everything().importance["saliency"])
