"""Test comparisons with CRISPRi: small cases by hand, and a naive loop for the join."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from crispri_cases import QUICK, naive_average_precision, pair_table, simulated, tile_table
from hypothesis import given, settings, strategies as st

from tangermeme_creme.analysis.crispri import compare_with_crispri


def test_each_aggregate_by_hand():
    effects = tile_table([0.5, -1.0, 0.25, np.nan])
    table = pair_table((60, 160, True), (210, 260, False), (290, 310, False), (180, 300, True))
    found = {name: compare_with_crispri(effects, table, aggregate=name, **QUICK) for name in ("max", "mean", "extreme")}
    # 60-160: 40 bp of 0.5 and 60 bp of -1; 180-300: 20 bp of -1 and 100 bp of 0.25; 290-310: 10 bp of 0.25 alone
    scores = {name: dict(zip(one.pairs["start"], one.pairs["score"])) for name, one in found.items()}
    assert scores["max"] == {60: 0.5, 180: 0.25, 210: 0.25, 290: 0.25}
    assert scores["mean"] == pytest.approx({60: -0.4, 180: (-20 + 25) / 120, 210: 0.25, 290: 0.25}, rel=1e-12)
    assert scores["mean"][210] == scores["mean"][290] == 0.25  # tied for any overlap
    assert scores["extreme"] == {60: -1.0, 180: -1.0, 210: 0.25, 290: 0.25}
    tied = compare_with_crispri(tile_table([0.5, -0.5]), pair_table((60, 160, True)), aggregate="extreme", **QUICK)
    assert tied.pairs["score"].tolist() == [0.5]
    pairs = found["max"].pairs
    assert pairs["n_tiles"].tolist() == [2, 2, 1, 1]
    assert pairs["distance"].tolist() == [1050 - 110, 1050 - 240, 1050 - 235, 1050 - 300]
    assert pairs["regulated"].tolist() == [True, True, False, False] and pairs["regulated"].dtype == bool
    assert pairs["effect_size"].isna().all()


@settings(max_examples=60, deadline=None)
@given(
    tiles=st.lists(
        st.tuples(st.sampled_from("ABC"), st.integers(0, 60), st.integers(1, 25), st.integers(-3, 3) | st.none()),
        min_size=1, max_size=12, unique_by=lambda tile: tile[:3],
    ),
    elements=st.lists(
        st.tuples(st.sampled_from("ABCD"), st.integers(0, 60), st.integers(1, 25), st.booleans()),
        min_size=1, max_size=12, unique_by=lambda element: element[:3],
    ),
    aggregate=st.sampled_from(["max", "mean", "extreme"]),
    missing=st.sampled_from(["drop", "zero"]),
)  # fmt: skip
def test_join_and_area_are_those_of_naive_loops(tiles, elements, aggregate, missing):
    tss = {"A": 5, "B": 40, "C": 70}
    effects = pd.DataFrame(
        [("chr1", s, s + w, gene, tss[gene], np.nan if e is None else e / 2) for gene, s, w, e in tiles],
        columns=["chrom", "start", "end", "gene_name", "tss", "necessity"],
    )
    table = pd.DataFrame(
        [("1", s, s + w, gene, regulated) for gene, s, w, regulated in elements],
        columns=["chrom", "start", "end", "measuredGeneSymbol", "Regulated"],
    )
    expected, no_gene, uncovered = [], 0, 0
    for gene, start, width, regulated in elements:
        if gene not in effects["gene_name"].tolist():
            no_gene += 1
            continue
        over = []
        for other, first, size, effect in tiles:
            bp = len(set(range(start, start + width)) & set(range(first, first + size)))
            if other == gene and bp and effect is not None:
                over.append((effect / 2, bp))
        uncovered += not over
        if not over and missing == "drop":
            continue
        score = 0.0
        if over and aggregate == "mean":
            score = sum(effect * bp for effect, bp in over) / sum(bp for _, bp in over)
        elif over:
            key = (lambda value: value) if aggregate == "max" else (lambda value: (abs(value), value))
            score = max((effect for effect, _ in over), key=key)
        distance = abs((start + start + width) // 2 - tss[gene])
        expected.append((start, start + width, gene, distance, regulated, len(over), score))
    options = {"aggregate": aggregate, "missing": missing, "distance_bins": (0, 20, np.inf), **QUICK}
    if not expected:
        with pytest.raises(ValueError, match=r"in common; got|must cover an element; got none"):
            compare_with_crispri(effects, table, **options)
        return
    pairs, _, summary = compare_with_crispri(effects, table, **options)
    expected.sort(key=lambda row: row[:3])
    columns = ["start", "end", "gene_name", "distance", "regulated", "n_tiles"]
    assert pairs[columns].values.tolist() == [list(row[:-1]) for row in expected]
    assert pairs["score"].tolist() == pytest.approx([row[-1] for row in expected], rel=1e-12, abs=1e-12)
    counts = summary.loc[0, ["n_no_gene", "n_uncovered", "n_invalid", "n_unknown"]]
    assert counts.tolist() == [no_gene, uncovered, 0, 0]
    for row in summary.itertuples():
        part = pairs if row.distance_bin == "all" else pairs[pairs["distance_bin"] == row.distance_bin]
        regulated = part["regulated"].tolist()
        assert (row.n, row.n_regulated) == (len(part), sum(regulated))
        if not 0 < sum(regulated) < len(part):
            assert np.isnan([row.auprc, row.auprc_low, row.auprc_high, row.gain]).all()
            continue
        scores = (part["score"] if row.predictor == "effect" else -part["distance"]).tolist()
        assert row.auprc == pytest.approx(naive_average_precision(regulated, scores), rel=1e-12)


def test_neither_order_of_rows_nor_spelling_of_chromosomes_changes_a_number():
    effects, table = simulated()
    options = {"effect": "necessity", "aggregate": "mean", "n_resamples": 50, "random_state": 3}
    one = compare_with_crispri(effects, table, **options)
    shuffled = table.sample(frac=1, random_state=1).assign(chrom=lambda rows: rows["chrom"].str.removeprefix("chr"))
    other = compare_with_crispri(effects.sample(frac=1, random_state=2), shuffled, **options)
    for first, second in zip(one, other):
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    again = compare_with_crispri(effects, table, **options | {"random_state": 4})
    assert (again.summary["auprc"].dropna() == one.summary["auprc"].dropna()).all()
    assert (again.summary["auprc_low"].dropna() != one.summary["auprc_low"].dropna()).any()


def test_perfect_predictor_gains_all_and_distance_itself_nothing():
    effects, table = simulated()
    table["Regulated"] = compare_truth(effects, table) > 0.3
    perfect = compare_with_crispri(effects, table, **QUICK).summary
    effect = perfect[perfect["predictor"] == "effect"].dropna(subset="auprc")
    np.testing.assert_allclose(effect[["auprc", "auprc_low", "auprc_high"]], 1, rtol=1e-12)
    assert len(effect) == 2 and (effect["gain"] > 0).all()
    # each element is in the middle of another tile, whose effect is minus the distance of the middle
    tiles = tile_table([-abs(s + 50 - 2050) for s in range(0, 2000, 100)], tss=2050)
    alone = pair_table(*((s + 10, s + 90, s % 300 == 0) for s in range(0, 2000, 100)))
    found = compare_with_crispri(tiles, alone, **QUICK)
    assert (found.pairs["score"] == -found.pairs["distance"]).all()
    assert found.summary.loc[0, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]


def compare_truth(effects: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Compute the largest effect of the tiles that overlap each element, element by element."""
    return np.array(
        [
            effects["necessity"][
                (effects["gene_name"] == row.measuredGeneSymbol)
                & (effects["start"] < row.chromEnd)
                & (effects["end"] > row.chromStart)
            ].max()
            for row in table.itertuples()
        ]
    )


def test_what_is_left_out_is_counted_and_zero_keeps_what_no_tile_covers():
    effects = pd.concat([tile_table([0.5, 0.1, np.nan]), tile_table([0.2], gene="B", chrom="2")])
    table = pd.concat(
        [
            pair_table((0, 50, "TRUE"), (110, 150, "FALSE"), (210, 250, False), (900, 950, True), (20, 90, "NA")),
            pair_table((0, 50, np.nan), (0, 60, True)),
            pair_table((0, 50, True), (10, 60, False), gene="C"),
            pair_table((0, 50, True), chrom="chr3"),  # A is on another chromosome
            pair_table((10, 20, False), gene="B", chrom="chr2"),
        ],
        ignore_index=True,
    ).assign(ValidConnection=["TRUE"] * 5 + ["overlaps potential promoter", None] + ["TRUE"] * 4)
    counts = {"n_no_gene": 2, "n_uncovered": 3, "n_invalid": 2, "n_unknown": 1}
    dropped = compare_with_crispri(effects, table, **QUICK)
    found = dropped.pairs[["chrom", "start", "score"]].values.tolist()
    assert found == [["chr1", 0, 0.5], ["chr1", 110, 0.1], ["2", 10, 0.2]]
    assert dropped.summary.loc[0, list(counts)].to_dict() == dropped.summary.loc[1, list(counts)].to_dict() == counts
    assert dropped.summary.loc[2:, list(counts)].isna().all(axis=None)
    kept = compare_with_crispri(effects, table, missing="zero", **QUICK)
    assert kept.summary.loc[0, list(counts)].to_dict() == counts
    zero = kept.pairs[kept.pairs["n_tiles"] == 0]
    assert zero[["chrom", "start", "score"]].values.tolist() == [["chr1", 210, 0], ["chr1", 900, 0]]
