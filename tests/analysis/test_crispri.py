"""Effects of tiles against CRISPRi: small cases by hand, and naive loops for the join and for average precision."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from tangermeme_creme.analysis.crispri import compare_with_crispri, resampled_precision

QUICK = {"effect": "necessity", "n_resamples": 20}


def tile_table(effects: list[float], gene: str = "A", chrom: str = "chr1", tss: int = 1050, first: int = 0):
    """Tiles of 100 bp side by side."""
    start = first + 100 * np.arange(len(effects))
    return pd.DataFrame(
        {"chrom": chrom, "start": start, "end": start + 100, "gene_name": gene, "tss": tss, "necessity": effects}
    )


def pair_table(*rows: tuple, gene: str = "A", chrom: str = "chr1") -> pd.DataFrame:
    """Elements as (start, end, regulated)."""
    columns = list(zip(*rows))
    return pd.DataFrame(
        {"chrom": chrom, "chromStart": columns[0], "chromEnd": columns[1], "measuredGeneSymbol": gene}
        | {"Regulated": columns[2]}
    )


def simulated(n: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Genes whose tiles have effects, and elements that are regulated the more often the larger the effect."""
    rng = np.random.default_rng(seed)
    effects = pd.concat(
        [
            tile_table(rng.exponential(0.2, 40).tolist(), f"G{i}", f"chr{i % 3 + 1}", 10_000 * i + 2_000, 10_000 * i)
            for i in range(10)
        ],
        ignore_index=True,
    )
    own = effects.iloc[rng.integers(0, len(effects), n)].reset_index(drop=True)
    start = own["start"] + rng.integers(0, 60, n)
    table = pd.DataFrame(
        {
            "chrom": own["chrom"],
            "chromStart": start,
            "chromEnd": start + rng.integers(20, 600, n),
            "measuredGeneSymbol": own["gene_name"],
            "Regulated": rng.random(n) < own["necessity"],
        }
    )
    return effects, table.drop_duplicates(["chromStart", "chromEnd", "measuredGeneSymbol"], ignore_index=True)


def naive_average_precision(regulated: list[bool], scores: list[float]) -> float:
    """Threshold by threshold, from the highest: the precision, times the recall that is new there."""
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        called = [y for y, score in zip(regulated, scores) if score >= threshold]
        total += sum(called) / len(called) * (sum(called) - before) / sum(regulated)
        before = sum(called)
    return total


def test_each_aggregate_by_hand():
    effects = tile_table([0.5, -1.0, 0.25, np.nan])
    table = pair_table((60, 160, True), (210, 260, False), (290, 310, False), (180, 300, True))
    found = {name: compare_with_crispri(effects, table, aggregate=name, **QUICK) for name in ("max", "mean", "extreme")}
    # 60-160: 40 bp of 0.5 and 60 bp of -1; 180-300: 20 bp of -1 and 100 bp of 0.25; 290-310: 10 bp of 0.25 alone
    scores = {name: dict(zip(one.pairs["start"], one.pairs["score"])) for name, one in found.items()}
    assert scores["max"] == {60: 0.5, 180: 0.25, 210: 0.25, 290: 0.25}
    assert scores["mean"] == pytest.approx({60: -0.4, 180: (-20 + 25) / 120, 210: 0.25, 290: 0.25}, rel=1e-12)
    assert scores["mean"][210] == scores["mean"][290] == 0.25  # tied whatever the overlap
    assert scores["extreme"] == {60: -1.0, 180: -1.0, 210: 0.25, 290: 0.25}
    tied = compare_with_crispri(tile_table([0.5, -0.5]), pair_table((60, 160, True)), aggregate="extreme", **QUICK)
    assert tied.pairs["score"].tolist() == [0.5]
    pairs = found["max"].pairs
    assert pairs["n_tiles"].tolist() == [2, 2, 1, 1]
    assert pairs["distance"].tolist() == [1050 - 110, 1050 - 240, 1050 - 235, 1050 - 300]
    assert pairs["regulated"].tolist() == [True, True, False, False] and pairs["regulated"].dtype == bool
    assert pairs["effect_size"].isna().all()


def test_curve_and_area_by_hand():
    # scores 4, 3, 3, 1: regulated, regulated, not, not; distances 1000, 900, 800, 700
    effects = tile_table([4.0, 3.0, 3.0, 1.0])
    table = pair_table((0, 100, True), (100, 200, True), (200, 300, False), (300, 400, False))
    pairs, curves, summary = compare_with_crispri(effects, table, **QUICK)
    curve = curves[(curves["predictor"] == "effect") & (curves["distance_bin"] == "all")]
    assert curve["threshold"].tolist() == [np.inf, 4, 3, 1]
    assert curve["recall"].tolist() == [0, 0.5, 1, 1]
    assert curve["precision"].tolist() == pytest.approx([1, 1, 2 / 3, 0.5])
    effect, distance = summary.iloc[0], summary.iloc[1]
    assert effect["auprc"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert distance["auprc"] == pytest.approx(1 / 2 * 1 / 3 + 1 / 2 * 2 / 4)  # the regulated ones are the furthest
    assert effect["gain"] == pytest.approx(5 / 6 - 5 / 12) and np.isnan(distance["gain"])
    assert effect[["n", "n_regulated", "prevalence"]].tolist() == [4, 2, 0.5]
    nearness = curves[(curves["predictor"] == "distance") & (curves["distance_bin"] == "all")]
    assert nearness["threshold"].tolist() == [np.inf, -700, -800, -900, -1000]
    assert set(pairs["distance_bin"]) == {"0-10 kb"}


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


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.integers(0, 4)), min_size=1, max_size=25))
def test_average_precision_of_a_resample_is_that_of_its_rows(rows):
    regulated, score, counts = (np.array(column) for column in zip(*rows))
    value = resampled_precision(regulated, score.astype(float))(counts)
    if not counts[regulated].sum():
        assert np.isnan(value)
        return
    drawn = np.repeat(regulated, counts), np.repeat(score, counts)
    assert value == pytest.approx(naive_average_precision(*(column.tolist() for column in drawn)), rel=1e-12)
    assert value == pytest.approx(average_precision_score(regulated, score, sample_weight=counts), rel=1e-12)


def test_intervals_are_those_of_resampled_rows():
    effects, table = simulated(150)
    pairs, _, summary = compare_with_crispri(
        effects, table, effect="necessity", n_resamples=40, confidence=0.8, random_state=5, distance_bins=(0, 800, 9e9)
    )
    for k, label in enumerate(["all", "0-0.8 kb", "0.8-9000000 kb"]):
        part = pairs if k == 0 else pairs[pairs["distance_bin"] == label].reset_index(drop=True)
        rng, values = np.random.default_rng([5, k]), []
        for _ in range(40):
            rows = part.iloc[rng.integers(0, len(part), len(part))]
            values.append([average_precision_score(rows["regulated"], x) for x in (rows["score"], -rows["distance"])])
        both = np.array(values)
        effect, distance = (summary[summary["distance_bin"] == label].iloc[i] for i in (0, 1))
        for row, numbers in ((effect, both[:, 0]), (distance, both[:, 1])):
            got = row[["auprc_low", "auprc_high"]].tolist()
            assert got == pytest.approx(np.quantile(numbers, [0.1, 0.9]).tolist(), rel=1e-12)
        gains = np.quantile(both[:, 0] - both[:, 1], [0.1, 0.9]).tolist()
        assert effect[["gain_low", "gain_high"]].tolist() == pytest.approx(gains, rel=1e-12)
        assert effect["auprc_low"] < effect["auprc"] < effect["auprc_high"]


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


def test_intervals_of_a_bin_do_not_depend_on_other_bins():
    effects, table = simulated()
    options = {"effect": "necessity", "n_resamples": 30}
    one = compare_with_crispri(effects, table, distance_bins=(0, 500, 1000, np.inf), **options).summary
    other = compare_with_crispri(effects, table, distance_bins=(200, 500, 1000), **options).summary
    for label in ("all", "0.5-1 kb"):
        same = [rows[rows["distance_bin"] == label].reset_index(drop=True) for rows in (one, other)]
        assert same[0]["auprc_low"].notna().all()
        pd.testing.assert_frame_equal(*same, check_exact=True)
    pairs = compare_with_crispri(effects, table, distance_bins=(200, 500, 1000), **options).pairs
    assert pairs["distance_bin"][pairs["distance"] < 200].isna().all() and (pairs["distance"] < 200).any()
    assert other.loc[0, "n"] == len(pairs) > other["n"][2::2].sum()


def test_perfect_predictor_gains_all_and_distance_itself_nothing():
    effects, table = simulated()
    table["Regulated"] = compare_truth(effects, table) > 0.3
    perfect = compare_with_crispri(effects, table, **QUICK).summary
    effect = perfect[perfect["predictor"] == "effect"].dropna(subset="auprc")
    np.testing.assert_allclose(effect[["auprc", "auprc_low", "auprc_high"]], 1, rtol=1e-12)
    assert len(effect) == 2 and (effect["gain"] > 0).all()
    # each element in the middle of a tile of its own, whose effect is minus the distance of that middle
    tiles = tile_table([-abs(s + 50 - 2050) for s in range(0, 2000, 100)], tss=2050)
    alone = pair_table(*((s + 10, s + 90, s % 300 == 0) for s in range(0, 2000, 100)))
    found = compare_with_crispri(tiles, alone, **QUICK)
    assert (found.pairs["score"] == -found.pairs["distance"]).all()
    assert found.summary.loc[0, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]


def compare_truth(effects: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """The largest effect of the tiles that each element overlaps, element by element."""
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


def test_bins_without_both_kinds_are_nan_and_have_no_curve():
    effects = tile_table([3.0, 2.0, 1.0, 0.5], tss=2000)
    table = pair_table((0, 100, True), (100, 200, True), (200, 300, False), (300, 400, False))
    _, curves, summary = compare_with_crispri(effects, table, distance_bins=(1_800, 1_900, 3_000, 9_000), **QUICK)
    by_bin = summary[summary["predictor"] == "effect"].set_index("distance_bin")
    assert by_bin["prevalence"].to_dict() == pytest.approx(
        {"all": 0.5, "1.8-1.9 kb": 1.0, "1.9-3 kb": 1.0, "3-9 kb": np.nan}, nan_ok=True
    )
    assert by_bin["n"].tolist() == [4, 1, 1, 0]
    assert by_bin[["auprc", "auprc_low", "gain"]].iloc[1:].isna().all(axis=None)
    assert set(curves["distance_bin"]) == {"all"}
    none = compare_with_crispri(effects, table.assign(Regulated=False), **QUICK)
    assert not len(none.curves) and none.summary["auprc"].isna().all()
    assert none.summary.loc[0, "prevalence"] == 0
    columns = ["predictor", "distance_bin", "threshold", "recall", "precision"]
    assert none.curves.columns.tolist() == columns


def test_resamples_with_nothing_regulated_do_not_count():
    effects = tile_table([3.0, 2.0, 1.0, 0.5])
    table = pair_table((0, 100, True), (100, 200, False), (200, 300, False), (300, 400, False))
    # about a third of the resamples hold nothing regulated; the first one of this seed does
    options = {"effect": "necessity", "distance_bins": (0, np.inf)}
    seed = next(s for s in range(99) if 0 not in np.random.default_rng([s, 0]).integers(0, 4, 4))
    one = compare_with_crispri(effects, table, n_resamples=1, random_state=seed, **options).summary.iloc[0]
    assert one["auprc"] == 1 and np.isnan(one[["auprc_low", "gain_low"]].tolist()).all()
    many = compare_with_crispri(effects, table, n_resamples=50, random_state=seed, **options).summary.iloc[0]
    assert many["auprc_low"] == 1


def test_what_is_left_out_is_counted_and_zero_keeps_what_no_tile_covers():
    effects = pd.concat([tile_table([0.5, 0.1, np.nan]), tile_table([0.2], gene="B", chrom="2")])
    table = pd.concat(
        [
            pair_table((0, 50, "TRUE"), (110, 150, "FALSE"), (210, 250, False), (900, 950, True), (20, 90, "NA")),
            pair_table((0, 50, np.nan), (0, 60, True)),
            pair_table((0, 50, True), (10, 60, False), gene="C"),
            pair_table((0, 50, True), chrom="chr3"),  # not where A is
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
