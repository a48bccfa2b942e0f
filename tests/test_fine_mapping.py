"""Fine mapping on a network whose answers are known in closed form: the search, saliency and motif hits."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_creme.analysis.fine_mapping import FineMappingComparison, compare_fine_mapping, retention_curve
from tangermeme_creme.models import Readout
from tangermeme_creme.models.toy import (
    MOTIFS,
    Element,
    RegulatoryToy,
    expected_activity,
    motif_starts,
    simulate_sequence,
)

LENGTH, CENTER, SUB_TILE, WIDTH = 16_384, 8192, 50, 16
TSS = (CENTER - 500, CENTER + 500)
PROMOTER = Element("promoter", CENTER)
MEME = {name: np.eye(4)[:, ["ACGT".index(base) for base in motif]] for name, motif in MOTIFS.items()}


class Case:
    """One CRE of a toy, with what the closed form says of any of its bases."""

    def __init__(self, elements: list[Element], cre: tuple[int, int], **settings: Any) -> None:
        self.elements, self.cre, self.settings = elements, cre, settings
        toy = RegulatoryToy(LENGTH, **settings)
        self.model = Readout(toy, bins=[toy.tss_bin])
        self.X = simulate_sequence(LENGTH, [PROMOTER, *elements], random_state=0)
        self.copies = [(element.kind, start) for element in elements for start in motif_starts(element)]

    def activity(self, copies: list[tuple[str, int]]) -> float:
        """The mean over both cell types with these motifs in the CRE."""
        kept = [PROMOTER, *(Element(*copy) for copy in copies)]
        return float(expected_activity(kept, length=LENGTH, **self.settings).mean())

    def score(self, copies: list[tuple[str, int]]) -> float:
        """The effect of these motifs over that of the whole CRE."""
        control = self.activity([])
        return (self.activity(copies) - control) / (self.activity(self.copies) - control)

    def whole_motifs(self, spans: list[tuple[int, int]]) -> list[tuple[str, int]]:
        covered = {position for span in spans for position in range(*span)}
        return [(kind, s) for kind, s in self.copies if set(range(s, s + WIDTH)) <= covered]

    def sub_tiles(self, kind: str) -> list[tuple[int, int]]:
        """Those of the grid of the search that hold a base of a motif of this kind."""
        grid = [(start, start + SUB_TILE) for start in range(*self.cre, SUB_TILE)]
        places = [range(s, s + WIDTH) for k, s in self.copies if k == kind]
        return [(a, b) for a, b in grid if any(a < place.stop and place.start < b for place in places)]

    def fewest_sub_tiles(self, kind: str, threshold: float) -> int:
        """The optimum by the closed form: the fewest sub-tiles with motifs of a kind that stay above the threshold.

        The motifs of other kinds are all given for nothing, so that no set of sub-tiles can do with fewer.
        """
        others = [copy for copy in self.copies if copy[0] != kind]
        tiles = self.sub_tiles(kind)
        for size in range(len(tiles) + 1):
            for chosen in combinations(tiles, size):
                own = [copy for copy in self.whole_motifs(list(chosen)) if copy[0] == kind]
                if self.score([*own, *others]) > threshold:
                    return size
        raise AssertionError("all of them are above the threshold")

    def compare(self, **options: Any) -> FineMappingComparison:
        return compare_fine_mapping(
            self.model, self.X, TSS, self.cre, motifs=MEME, score="effect", n=4, random_state=0, draws=3,
            **{"thresholds": (0.9, 0.8), "prune": (1, 1), **options},
        )  # fmt: skip


def kept(result: FineMappingComparison, method: str) -> list[tuple[int, int]]:
    rows = result.kept[result.kept["method"] == method]
    return list(rows[["start", "end"]].itertuples(index=False, name=None))


def holds(spans: list[tuple[int, int]], motif: int) -> bool:
    return any(start <= motif and motif + WIDTH <= end for start, end in spans)


@pytest.mark.parametrize("response", ["additive", "multiplicative", "saturating"])
def test_the_search_keeps_the_motif_that_acts_and_the_motif_mask_its_decoys(response: str) -> None:
    """One motif acts; two more of the same kind are there, but too far away to matter."""
    acts, decoys = 9211, (12_010, 13_333)
    case = Case(
        [Element("enhancer", s) for s in (acts, *decoys)], (9000, 14_000), response=response, reach=(1000, 1000)
    )
    # By the closed form: the one motif has the effect, and the decoys together have not.
    assert case.score([("enhancer", acts)]) > 0.9
    assert case.score([("enhancer", s) for s in decoys]) < 0.1
    result = case.compare(methods=["search", "motifs", "random"])

    optimum = case.fewest_sub_tiles("enhancer", 0.8)
    assert [tile for tile in case.sub_tiles("enhancer") if holds([tile], acts)] == [(9200, 9250)]
    spans = result.search.kept[0]
    assert holds(spans, acts) and not any(holds(spans, s) for s in decoys)
    assert sum(end - start for start, end in spans) <= SUB_TILE * (optimum + 1)
    search = result.summary.set_index("method").loc["search"]
    assert search["own_score"] == pytest.approx(case.score([("enhancer", acts)]), abs=1e-4)

    hits = result.hits[["start", "end", "strand"]].itertuples(index=False, name=None)
    assert sorted(hits) == [(s, s + WIDTH, "+") for s in sorted((acts, *decoys))]
    motifs = result.summary.set_index("method").loc["motifs"]
    assert motifs["own_bp"] == 3 * WIDTH and motifs["own_score"] == pytest.approx(1, abs=1e-4)


# 24 motifs act in cell type A, which they saturate, and 12 in B, too far away to matter there.
SATURATED = Case(
    [Element("enhancer_a", 8810, 24), Element("enhancer_b", 12_500, 12)],
    (8700, 13_700), response="saturating", ceiling=4.0, reach=(1000, 1000),
)  # fmt: skip


@pytest.fixture(scope="module")
def saturated() -> FineMappingComparison:
    return SATURATED.compare(methods=["search", "saliency", "saliency_absolute", "integrated_gradients", "motifs"])


def test_the_search_of_a_saturated_response_is_near_the_optimum(saturated: FineMappingComparison) -> None:
    case = SATURATED
    assert case.score([copy for copy in case.copies if copy[0] == "enhancer_b"]) < 0.05
    optimum = case.fewest_sub_tiles("enhancer_a", 0.8)
    spans = saturated.search.kept[0]
    n_sub_tiles = sum(end - start for start, end in spans) // SUB_TILE
    assert 1 < optimum <= n_sub_tiles <= optimum + 1
    assert all(kind == "enhancer_a" for kind, _ in case.whole_motifs(spans))
    own_score = saturated.summary.set_index("method").loc["search", "own_score"]
    assert own_score == pytest.approx(case.score(case.whole_motifs(spans)), abs=1e-4) and own_score > 0.8


def test_saliency_of_a_saturated_response_misses_the_motifs_that_the_search_finds(
    saturated: FineMappingComparison,
) -> None:
    """The gradient is that of the response where it is: of the sigmoid's flat end for what acts."""
    case = SATURATED
    gradient = saturated.importance["saliency"][0]
    start = case.cre[0]
    for kind, cell in (("enhancer_a", 0), ("enhancer_b", 1)):
        first = next(s for k, s in case.copies if k == kind)
        assert float(gradient[first - start]) == pytest.approx(expected_gain(case, first, cell), rel=1e-3)
    b = [s for kind, s in case.copies if kind == "enhancer_b"]
    a = [s for kind, s in case.copies if kind == "enhancer_a"]
    assert min(gradient[s - start] for s in b) > 10 * max(gradient[s - start] for s in a)

    bp = int(saturated.search.mask.sum())
    assert bp < WIDTH * len(b)
    for method in ("saliency", "saliency_absolute"):
        found = saturated.summary.set_index("method").loc[method, "fewest_bp"]
        assert found >= WIDTH * len(b) + 50 > bp
    ranking = gradient[None]
    curve = retention_curve(case.model, case.X, TSS, case.cre, ranking, steps=[bp], score="effect", n=4, random_state=0)
    assert float(curve.score[0, 0, 1]) < 0.05
    spans = [(start + int(p), start + int(p) + 1) for p in curve.kept(torch.tensor([[bp]]))[0, 0].nonzero()]
    assert not [copy for copy in case.whole_motifs(spans) if copy[0] == "enhancer_a"]
    # A way from a sequence without them all crosses the slope that they have climbed.
    integrated = saturated.importance["integrated_gradients"][0]
    assert min(integrated[s - start] for s in a) > max(integrated[s - start] for s in b)


def expected_gain(case: Case, motif: int, cell: int) -> float:
    """What the gradient of the mean over two cell types is at a base of a motif: ``ceiling * y (1 - y) * k / 2``."""
    ceiling, reach = case.settings["ceiling"], case.settings["reach"]
    activity = expected_activity([PROMOTER, *(Element(*c) for c in case.copies)], length=LENGTH, **case.settings)
    y = activity[cell] / ceiling
    distance = (motif // 128 - CENTER // 128) * 128
    return float(ceiling * y * (1 - y) * np.exp(-distance / reach[1]) / 2)


def test_known_elements_are_compared_with_what_is_kept(saturated: FineMappingComparison) -> None:
    truth = pd.DataFrame([("x", s, s + WIDTH) for _, s in SATURATED.copies[:24]], columns=["example", "start", "end"])
    result = SATURATED.compare(methods=["search", "motifs"], truth=truth, ids=["x"])
    table = result.overlap.set_index(["method", "other"])
    spans = kept(result, "search")
    inside = {p for span in spans for p in range(*span)}
    true = {p for _, s in SATURATED.copies[:24] for p in range(s, s + WIDTH)}
    row = table.loc[("search", "truth")]
    assert row["bp"] == len(inside) and row["other_bp"] == 24 * WIDTH
    assert row["shared_bp"] == len(inside & true)
    assert row["jaccard"] == pytest.approx(len(inside & true) / len(inside | true))
    assert result.search.kept == saturated.search.kept
