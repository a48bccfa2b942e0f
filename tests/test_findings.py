"""Findings on networks whose truth is known: pairs that interact, effects that are none, shuffles that suffice."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_creme as creme
from tangermeme_creme.analysis.interactions import call_interactions, epistasis, log_epistasis
from tangermeme_creme.analysis.stats import adaptive_n, summarize_effects
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import Element, RegulatoryToy, expected_activity, simulate_sequence, without

L, TILE = 4_096, 256
REACH = (1e6, 1e6)
TILES = [(start, start + TILE) for start in range(0, L, TILE) if not start <= L // 2 < start + TILE]
PROMOTER = Element("promoter", L // 2)


def in_tile(kind: str, tile: int, copies: int) -> Element:
    return Element(kind, TILES[tile][0] + 40, copies)


class NoisyToy(torch.nn.Module):
    """`RegulatoryToy` times a factor that every sequence has of its own, as if at random, around 1."""

    def __init__(self, noise: float, response: str = "additive") -> None:
        super().__init__()
        toy = RegulatoryToy(L, response=response, reach=REACH)
        self.toy, self.noise = Readout(toy, bins=[toy.tss_bin], tracks=[0]), noise
        weight = torch.randn(4, L, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self.weight = torch.nn.Parameter(weight, requires_grad=False)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        phase = (X.double() * self.weight).sum((1, 2))[:, None]
        return self.toy(X.float()).double() * (1 + self.noise * (1000 * phase).sin())


def pairs_of(elements: list[Element], response: str, tiles: list[tuple[int, int]], effects: list[str]) -> pd.DataFrame:
    toy = RegulatoryToy(L, response=response, reach=REACH)
    X = simulate_sequence(L, elements, random_state=0)
    result = creme.interaction_map(Readout(toy, bins=[toy.tss_bin]), X, tiles, n=6, random_state=0)
    return summarize_effects(result.to_frame(tiles=tiles), effects)


# Without either of the first two the silencer leaves 1 of 4; without both there is nothing left to take.
FLOORED = [
    PROMOTER,
    in_tile("enhancer", 2, 3),
    in_tile("enhancer", 9, 3),
    in_tile("enhancer", 5, 1),
    in_tile("silencer", 12, 4),
]
OCCUPIED = [TILES[t] for t in (0, 2, 5, 9, 12)]


def test_interaction_map_finds_exactly_the_planted_pair() -> None:
    called = call_interactions(pairs_of(FLOORED, "additive", OCCUPIED, ["epistasis"]))
    found = called[called["interaction"] == "positive"]
    assert len(called) == 10 * 2  # pairs, cell types
    assert found[["tile_1", "tile_2", "track"]].to_numpy().tolist() == [[1, 3, 0], [1, 3, 1]]
    assert found[["start_1", "start_2"]].drop_duplicates().to_numpy().tolist() == [[TILES[2][0], TILES[9][0]]]
    np.testing.assert_allclose(found["epistasis"], 2 / 4, rtol=0.01)  # but for the little that distance takes
    assert set(called["interaction"].drop(found.index)) == {"none"}


@pytest.mark.parametrize(("response", "sign"), [("additive", 0), ("multiplicative", 1), ("saturating", -1)])
def test_epistasis_is_what_the_response_says(response: str, sign: int) -> None:
    elements = [PROMOTER, in_tile("enhancer", 2, 3), in_tile("enhancer", 9, 3), in_tile("enhancer_a", 5, 1)]
    table = pairs_of(elements, response, OCCUPIED, ["epistasis", "log_epistasis"])
    pairs = list(itertools.combinations(OCCUPIED, 2))

    def expected(*gone: tuple[int, int]) -> np.ndarray:
        return expected_activity(without(elements, list(gone)), length=L, response=response, reach=REACH)

    activities = [(expected(), expected(one), expected(other), expected(one, other)) for one, other in pairs]
    for name, effect in (("epistasis", epistasis), ("log_epistasis", log_epistasis)):
        truth = np.concatenate([effect(*activity) for activity in activities])
        np.testing.assert_allclose(table[name], truth, atol=2e-5)
    strongest = table[(table["tile_1"] == 1) & (table["tile_2"] == 3)]
    assert (np.sign(strongest["epistasis"].round(4)) == sign).all()
    if response == "multiplicative":
        calls = call_interactions(table, by="log_epistasis")
        assert (calls["interaction"] == "none").all()


def test_interactions_are_called_from_effect_and_interval() -> None:
    rows = [(0.3, 0.1, 0.5), (0.3, -0.1, 0.7), (-0.2, -0.3, -0.1), (-0.2, -0.5, 0.1), (0.01, -0.02, 0.04),
            (0.03, 0.02, 0.04), (0.04, 0.02, 0.06), (np.nan, 0, 0), (0.3, np.nan, np.nan)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["epistasis", "epistasis_low", "epistasis_high"], index=list("abcdefghi"))
    called = call_interactions(table)
    assert called["interaction"].tolist() == [
        "positive", "unclear", "negative", "unclear", "none", "none", "unclear", None, None,
    ]  # fmt: skip
    assert "interaction" not in table and called.index.equals(table.index)
    assert call_interactions(table, threshold=0.0)["interaction"].tolist()[5] == "positive"
    with pytest.raises(ValueError, match="columns 'log_epistasis', 'log_epistasis_low'"):
        call_interactions(table, by="log_epistasis")
    with pytest.raises(ValueError, match="threshold must be at least 0; got -1"):
        call_interactions(table, threshold=-1)


def null_sequences(count: int) -> torch.Tensor:
    """A promoter and nothing else."""
    return torch.cat([simulate_sequence(L, [PROMOTER], random_state=seed) for seed in range(count)])


def test_holdout_removes_the_selection_bias_of_a_null_model() -> None:
    """Every tile does nothing; the strongest of 15 looks as if it did, until it is estimated again."""
    X = null_sequences(50)
    result = creme.necessity_test(NoisyToy(0.2), X, TILES, n=16, random_state=0)
    summary = summarize_effects(result.to_frame(), "necessity", n_holdout=8, n_resamples=200)
    strongest = summary.loc[summary.groupby("example")["necessity"].idxmax()]
    # The wild type is noise too, and the same for all tiles of an example.
    common = summary.groupby("example")[["necessity", "necessity_holdout"]].mean()
    before = strongest["necessity"].to_numpy() - common["necessity"].to_numpy()
    after = strongest["necessity_holdout"].to_numpy() - common["necessity_holdout"].to_numpy()
    error = after.std() / np.sqrt(len(after))
    assert before.mean() > 10 * error
    assert abs(after.mean()) < 3 * error


def test_holdout_of_a_greedy_search_removes_its_bias() -> None:
    X = null_sequences(60)
    options = {"direction": "min", "rounds": 1, "n": 8, "n_holdout": 8, "random_state": 0}
    result = creme.higher_order_interaction_test(NoisyToy(0.2), X, TILES, **options)
    mean = result.y_candidates[:, 0].mean((1, 2))
    before, after = (result.y_selected[:, 0] - mean).numpy(), (result.y_holdout[:, 0] - mean).numpy()
    error = after.std() / np.sqrt(len(after))
    assert before.mean() < -5 * error and abs(after.mean()) < 3 * error


def test_few_shuffles_suffice_where_effects_are_clear() -> None:
    """Without noise the first block settles it; with noise as many as the standard error asks for."""
    X, tss = simulate_sequence(L, FLOORED, random_state=0), (L // 2 - 60, L // 2 + 60)
    clear = adaptive_n(creme.necessity_test, NoisyToy(0.0), X, OCCUPIED, effect="necessity", tol=0.01, random_state=0)
    assert clear.n.tolist() == [10] and clear.converged.all() and clear.sem.item() < 1e-6
    common = {"effect": "over_wt", "tol": 0.02, "random_state": 0}
    drawn = {}
    for noise in (0.05, 0.1, 0.2, 2.0):
        found = adaptive_n(creme.sufficiency_test, NoisyToy(noise), X, tss, OCCUPIED, **common)
        fixed = creme.sufficiency_test(NoisyToy(noise), X, tss, OCCUPIED, n=100, random_state=0)
        n = drawn[noise] = int(found.n)
        assert found.converged.item() == (found.sem.item() < 0.02) == (noise < 1)
        assert torch.equal(found.result.y_mut, fixed.y_mut[:, :, :n])
        assert torch.equal(found.result.y_control, fixed.y_control[:, :n])
    assert drawn[0.05] <= drawn[0.1] < drawn[0.2] < drawn[2.0] == 100


def test_standard_error_of_an_adaptive_run_is_about_the_true_one() -> None:
    """The estimates of runs from other seeds scatter as widely as each says of itself."""
    X = simulate_sequence(L, FLOORED, random_state=0).expand(60, -1, -1)
    found = adaptive_n(creme.necessity_test, NoisyToy(0.2), X, [TILES[2]], effect="necessity", tol=0.01, random_state=0)
    assert found.converged.all()
    summary = summarize_effects(found.to_frame(), "necessity", n_resamples=50)
    ratio = summary["necessity"].std() / summary["necessity_sem"].mean()
    assert 0.7 < ratio < 1.4


def test_mixed_tracks_are_called_each_on_its_own() -> None:
    """A track without activity beside one with: NaN and its warning in one, effects in the other."""

    class Silent(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.toy = NoisyToy(0.1)

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return torch.cat([self.toy(X), 0 * self.toy(X)], dim=1)

    X = simulate_sequence(L, FLOORED, random_state=0)
    result = creme.necessity_test(Silent(), X, OCCUPIED[:2], n=8, random_state=0)
    with pytest.warns(match="y_wt must be above 0.*2 of 4 are zero or negative") as caught:
        summary = summarize_effects(result.to_frame(tracks=["on", "off"]), "necessity")
    assert len(caught) == 1
    assert summary.set_index("track")["necessity"].isna().groupby("track").all().to_dict() == {"off": True, "on": False}
    assert summary[summary["track"] == "on"].notna().all(axis=None)


def test_one_example_of_random_sequence_has_no_interactions_to_speak_of() -> None:
    toy = NoisyToy(0.0)
    X = random_one_hot((1, 4, L), random_state=0)
    X[:, :, L // 2 : L // 2 + 16] = simulate_sequence(L, [PROMOTER], random_state=0)[:, :, L // 2 : L // 2 + 16]
    result = creme.interaction_map(toy, X, OCCUPIED[:2], n=1, random_state=0)
    summary = summarize_effects(result.to_frame(), "epistasis")
    assert summary["epistasis"].tolist() == [0.0] and summary["epistasis_low"].isna().all()
    assert call_interactions(summary)["interaction"].tolist() == [None]
