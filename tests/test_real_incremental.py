"""The trained network on real windows, in part and in full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import real_model
import torch
from miniborzoi_tss import BIN, FIRST_BP, LENGTH, N_BINS, MiniBorzoiTSS
from tangermeme.predict import predict

import tangermeme_creme as creme
from tangermeme_creme.analysis.fine_mapping import captum_attribution, compare_fine_mapping
from tangermeme_creme.analysis.stats import adaptive_n, summarize_effects
from tangermeme_creme.engine import EditSession
from tangermeme_creme.models import Readout, tss_bins
from tangermeme_creme.sequence import Edits, tile_grid

DATA = Path(__file__).parents[2] / "shared" / "real"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the trained network in ../shared/real")


class Locus(NamedTuple):
    model: MiniBorzoiTSS
    whole: Readout
    X: torch.Tensor
    center: tuple[int, int]
    tiles: list[tuple[int, int]]


@pytest.fixture(scope="module", params=["NOC2L", "BMT2"])
def locus(request: pytest.FixtureRequest) -> Locus:
    gene = pd.read_csv(DATA / "genes.tsv", sep="\t").set_index("gene").loc[request.param]
    X, tss = real_model.read_window(DATA, gene["record"], int(gene["record_tss"]))
    bins = tss_bins(tss, bin_size=BIN, n_bins=N_BINS, first_bp=FIRST_BP, width=16)
    tracks = real_model.cage_tracks(DATA, gene["strand"])
    network = real_model.load_network(DATA)
    grid = tile_grid(LENGTH, 5000, center=tss)
    return Locus(
        MiniBorzoiTSS(network, tracks=tracks, bins=bins),
        Readout(network, tracks=tracks, bins=bins, bin_axis=2, track_axis=1),
        X,
        (int(grid.center[0]), int(grid.center[1])),
        [(int(start), int(end)) for start, end in grid.context],
    )


def close(y: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(y, expected, rtol=1e-5, atol=0)


def test_the_split_network_is_the_network(locus: Locus) -> None:
    assert close(predict(locus.model, locus.X, device="cpu"), predict(locus.whole, locus.X, device="cpu"))


def test_edits_of_any_place_and_width_give_the_prediction_in_full(locus: Locus) -> None:
    generator = torch.Generator().manual_seed(0)
    tss = locus.center[0] + 2500
    spans = [(0, 5000), (LENGTH - 5000, LENGTH), (0, 1), (LENGTH - 1, LENGTH), (tss, tss + 1), (tss - 90, tss + 411),
             (1, LENGTH), (0, LENGTH), (77, 30_000)]  # fmt: skip
    content = [torch.randint(0, 4, (end - start,), generator=generator, dtype=torch.uint8) for start, end in spans]
    start = torch.tensor([start for start, _ in spans])
    edits = Edits(torch.zeros(len(spans), dtype=torch.int64), start, torch.arange(len(spans)), content)
    y = {}
    for incremental in (True, False):
        with EditSession(locus.model, locus.X, incremental=incremental, device="cpu", batch_size=4) as session:
            y[incremental] = session.predict_edits(edits)
    assert close(y[True], y[False])


TESTS: dict[str, Callable[..., Any]] = {
    "context": lambda a, **kw: creme.context_dependence_test(a.model, a.X, a.center, n=1, random_state=0, **kw),
    "swap": lambda a, **kw: creme.context_swap_test(a.model, a.X, a.X.flip(2), a.center, **kw),
    "necessity": lambda a, **kw: creme.necessity_test(a.model, a.X, a.tiles[::9], n=2, random_state=0, **kw),
    "sufficiency": lambda a, **kw: creme.sufficiency_test(
        a.model, a.X, a.center, a.tiles[::9], n=2, random_state=0, **kw
    ),
    "distance": lambda a, **kw: creme.distance_test(
        a.model, a.X, a.center, a.tiles[3], [0, 40_000, LENGTH - 5000], n=1, random_state=0, **kw
    ),
    "greedy": lambda a, **kw: creme.higher_order_interaction_test(
        a.model, a.X, a.tiles[::6], direction="min", rounds=3, n=1, n_holdout=1, random_state=0, **kw
    ),
    "map": lambda a, **kw: creme.interaction_map(a.model, a.X, a.tiles[::9], n=1, random_state=0, **kw),
    "set": lambda a, **kw: creme.tile_set_sufficiency_test(
        a.model, a.X, a.center, a.tiles, [5, 0, 9], n=1, random_state=0, **kw
    ),
    "multiplicity": lambda a, **kw: creme.multiplicity_test(
        a.model, a.X, a.center, a.tiles[3], [0, 20_000, 30_000, 110_000], direction="max", copies=3, n=1,
        random_state=0, **kw
    ),
    "fine": lambda a, **kw: creme.fine_tile_search(
        a.model, a.X, a.center, a.tiles[13], scales=(1250,), thresholds=(0.5,), prune=(2,), n=1, random_state=0, **kw
    ),
}  # fmt: skip


@pytest.mark.parametrize("test", TESTS)
def test_every_test_gives_the_results_in_full(locus: Locus, test: str) -> None:
    part, full = (TESTS[test](locus, device="cpu", incremental=incremental) for incremental in (True, False))
    for name, a, b in zip(part._fields, part, full):
        if not isinstance(a, torch.Tensor):
            continue
        if a.is_floating_point():
            assert torch.equal(a.isnan(), b.isnan()), name
            assert close(a.nan_to_num(), b.nan_to_num()), name
        else:
            assert torch.equal(a, b), name  # tiles in the same order, copies at the same places, the same bases kept
    if test == "fine":
        assert part.kept == full.kept


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients"])
def test_attributions_of_a_tile_are_those_in_full(locus: Locus, method: str) -> None:
    options: dict[str, Any] = {"method": method, "span": locus.tiles[13], "n_steps": 3, "device": "cpu"}
    part, full = (captum_attribution(locus.model, locus.X, incremental=i, **options) for i in (True, False))
    assert float((part - full).abs().max()) < 1e-4 * float(full.abs().max())
    whole = captum_attribution(locus.whole, locus.X, **options)
    assert float((whole - full).abs().max()) < 1e-4 * float(full.abs().max())


def test_a_comparison_is_that_in_full(locus: Locus) -> None:
    part, full = (
        compare_fine_mapping(
            locus.model, locus.X, locus.center, locus.tiles[13], methods=["search", "saliency_absolute", "random"],
            scales=(1250,), thresholds=(0.5,), prune=(2,), n=1, steps=2500, draws=1, random_state=0, device="cpu",
            incremental=incremental,
        )
        for incremental in ("auto", False)
    )  # fmt: skip
    pd.testing.assert_frame_equal(part.curves, full.curves, rtol=1e-4)
    pd.testing.assert_frame_equal(part.kept, full.kept)


def test_a_real_network_takes_as_many_shuffles_as_it_needs(locus: Locus) -> None:
    what, tiles = (locus.model, locus.X), locus.tiles[1::9]
    common: dict[str, Any] = {"random_state": 0, "device": "cpu"}
    clear = adaptive_n(creme.necessity_test, *what, tiles, effect="necessity", tol=0.03, **common)
    assert clear.converged.all() and int(clear.n) < 100
    fixed = creme.necessity_test(*what, tiles, n=int(clear.n), **common)
    assert close(clear.result.y_mut, fixed.y_mut) and close(clear.result.y_wt, fixed.y_wt)
    summary = summarize_effects(clear.to_frame(tiles=tiles), "necessity", n_resamples=100)
    assert (summary["necessity_sem"] < 0.03).all() and summary["necessity_sem"].max() == clear.sem.item()
    strict = adaptive_n(creme.necessity_test, *what, tiles[:2], effect="necessity", tol=1e-6, n_max=15, **common)
    assert not strict.converged.any() and strict.n.tolist() == [15]
