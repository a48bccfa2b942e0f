"""Test overlaps, gene lists, distances and neutral tiles against loops over bases and rows."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from tangermeme_creme.analysis.annotate import (
    bed_overlap,
    distance_to_tss,
    gene_list_overlap,
    overlap_by_group,
    sample_neutral_tiles,
)

regions = st.lists(st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 60), st.integers(1, 30)), max_size=8)


def frame(rows: list[tuple[str, int, int]]) -> pd.DataFrame:
    table = pd.DataFrame([(c, s, s + w) for c, s, w in rows], columns=["chrom", "start", "end"])
    return table.astype({"start": np.int64, "end": np.int64})


def bases(row: Any) -> set[tuple[str, int]]:
    return {(row.chrom, p) for p in range(row.start, row.end)}


@settings(deadline=None)
@given(one=regions, other=regions.filter(len), seed=st.integers(0, 9))
def test_overlap_is_that_of_sets_of_bases(one: list, other: list, seed: int) -> None:
    cres, elements = frame(one), frame(other)
    if len(cres) and not set(cres["chrom"]) & set(elements["chrom"]):
        with pytest.raises(ValueError, match=r"annotation 'a' must have chromosomes of the CREs .*; got '"):
            bed_overlap(cres, {"a": elements})
        return
    shuffled = elements.sample(frac=1, random_state=seed)
    table = bed_overlap(cres.assign(gene_name="x"), {"a": elements, "again": shuffled})
    assert table["annotation"].tolist() == ["a", "again"] * len(cres)
    for row, again in zip(table[::2].itertuples(), table[1::2].itertuples()):
        sets = [bases(element) for element in elements.itertuples()]
        own = bases(row)
        assert row.fraction == len(own & set().union(*sets)) / len(own) == again.fraction
        assert row.n_elements == sum(bool(own & some) for some in sets) == again.n_elements


def test_annotations_are_read_from_files_and_chromosomes_match_by_either_name(tmp_path: Path) -> None:
    text = "track name=a\nchr1\t10\t30\tp1\nchr1\t20\t35\tp2\nchrX\t0\t5\tp3\n"
    (tmp_path / "a.bed").write_text(text)
    (tmp_path / "a.bed.gz").write_bytes(gzip.compress(text.encode()))
    cres = pd.DataFrame({"chrom": ["1", "2"], "start": [0, 0], "end": [100, 100], "cre": ["enhancer", "silencer"]})
    table = bed_overlap(cres, {"promoter": tmp_path / "a.bed", "zipped": tmp_path / "a.bed.gz"})
    assert table[["cre", "annotation", "fraction", "n_elements"]].to_numpy().tolist() == [
        ["enhancer", "promoter", 0.25, 2],
        ["enhancer", "zipped", 0.25, 2],
        ["silencer", "promoter", 0.0, 0],
        ["silencer", "zipped", 0.0, 0],
    ]
    with pytest.raises(
        ValueError, match=r"annotation 'mouse' must have chromosomes of the CREs .*; got 'I', and '1' of"
    ):
        bed_overlap(cres, {"mouse": pd.DataFrame({"chrom": ["I"], "start": [0], "end": [5]})})
    with pytest.raises(ValueError, match=r"annotation 'swapped': end must be above start; got \[9, 5\) at row 1"):
        bed_overlap(cres, {"swapped": pd.DataFrame({"chrom": "1", "start": [0, 9], "end": [5, 5]})})
    (tmp_path / "swapped.bed").write_text("chr1\t10\t30\nchr1\t40\t35\n")
    with pytest.raises(ValueError, match=r"0 <= start <= end in bp; got 'chr1.*' in line 2 of .*swapped\.bed"):
        bed_overlap(cres, {"swapped": tmp_path / "swapped.bed"})
    with pytest.raises(ValueError, match="must not have column 'annotation'"):
        bed_overlap(cres.assign(annotation=1), {"a": tmp_path / "a.bed"})


def test_one_annotation_may_spell_a_chromosome_both_ways() -> None:
    cres = pd.DataFrame({"chrom": ["1", "chr1"], "start": [0, 0], "end": [10, 10]})
    both = pd.DataFrame({"chrom": ["chr1", "1"], "start": [0, 5], "end": [5, 8]})
    assert bed_overlap(cres, {"a": both})["fraction"].tolist() == [0.8, 0.8]
    for call, files in ((bed_overlap, "a.bed"), (gene_list_overlap, ["MYC"])):
        with pytest.raises(
            ValueError, match=f"must be a mapping from a name to a file, .*; got {type(files).__name__}"
        ):
            call(cres.assign(gene_name="MYC"), files)


def test_an_empty_annotation_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.bed").write_text("# nothing\n")
    cres = pd.DataFrame({"chrom": ["1"], "start": [0], "end": [100]})
    assert bed_overlap(cres, {"none": tmp_path / "empty.bed"})[["fraction", "n_elements"]].to_numpy().tolist() == [
        [0.0, 0]
    ]


def test_genes_of_a_list_count_as_overlap(tmp_path: Path) -> None:
    (tmp_path / "genes.txt").write_text("# housekeeping\nACTB\tsomething\nGAPDH\n\n")
    table = pd.DataFrame(
        {"gene_name": ["ACTB", "HBG1", "GAPDH", "MYC"], "context": ["neutral"] * 2 + ["enhancing"] * 2}
    )
    found = gene_list_overlap(table, {"housekeeping": tmp_path / "genes.txt", "MYC": ["MYC"]})
    assert found["n_elements"].tolist() == [1, 0, 0, 0, 1, 0, 0, 1]
    summary = overlap_by_group(found, "context")
    assert summary["percent"].tolist() == [50.0, 0.0, 50.0, 50.0]
    assert summary["percent_bp"].isna().all()
    with pytest.raises(
        ValueError, match=r"list 'x' must name genes as column 'gene_name' does; got 'ENSG1'.*'ACTB' at"
    ):
        gene_list_overlap(table, {"x": ["ENSG1"]})
    with pytest.raises(ValueError, match="must have column 'gene'"):
        gene_list_overlap(table, {"x": ["MYC"]}, column="gene")


@given(seed=st.integers(0, 99), least=st.sampled_from([0.0, 0.3]))
def test_groups_are_counted_with_the_interval_of_scipy(seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "start": 0,
            "end": rng.integers(1, 50, 40),
            "cre": rng.choice(["enhancer", "silencer", None], 40),
            "annotation": rng.choice(["SINE", "LINE"], 40),
            "fraction": rng.choice([0.0, 0.2, 0.5], 40),
        }
    )
    summary = overlap_by_group(table, min_fraction=least, confidence=0.9)
    assert summary["n"].sum() == table["cre"].notna().sum()
    for row in summary.itertuples():
        part = table[(table["cre"] == row.cre) & (table["annotation"] == row.annotation)]
        k = int((part["fraction"] > least).sum())
        interval = stats.binomtest(k, len(part)).proportion_ci(0.9, method="wilson")
        expected = [len(part), k, 100 * k / len(part), 100 * interval.low, 100 * interval.high]
        np.testing.assert_allclose([row.n, row.n_overlapping, row.percent, row.percent_low, row.percent_high], expected)
        assert row.percent_bp == pytest.approx(100 * (part["fraction"] * part["end"]).sum() / part["end"].sum())


def test_bad_options_of_groups_are_named() -> None:
    table = pd.DataFrame({"cre": ["a"], "annotation": ["b"], "fraction": [0.5]})
    for options in ({"min_fraction": 1.0}, {"confidence": 1.0}, {"min_fraction": -0.1}):
        with pytest.raises(ValueError, match=f"got .*{next(iter(options.values()))}"):
            overlap_by_group(table, **options)
    with pytest.raises(ValueError, match="must have column 'fraction'"):
        overlap_by_group(table.drop(columns="fraction"))


@given(start=st.integers(0, 200), width=st.integers(1, 60), tss=st.integers(0, 260), strand=st.sampled_from("+-"))
def test_distance_counts_bases_along_the_transcript(start: int, width: int, tss: int, strand: str) -> None:
    cres = pd.DataFrame({"chrom": ["1"], "start": [start], "end": [start + width], "tss": [tss], "strand": [strand]})
    row = distance_to_tss(cres).iloc[0]
    steps = [(p - tss) * (1 if strand == "+" else -1) for p in range(start, start + width)]
    assert row["distance"] == np.mean(steps)
    assert row["gap"] == max(0, min(map(abs, steps)) - 1)
    with pytest.raises(ValueError, match=r"strand of cres must be '\+' or '-'; got '\.' at row 0"):
        distance_to_tss(cres.assign(strand="."))


@st.composite
def tile_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Make called tiles of several genes; not every gene has a neutral tile."""
    rows = []
    for gene in range(draw(st.integers(1, 8))):
        context = draw(st.sampled_from(["neutral", "neutral", "enhancing", None]))
        for start in range(0, 50 * draw(st.integers(1, 5)), 50):
            rows.append(
                (f"G{gene}", context, start, draw(st.sampled_from([-0.5, -0.1, -0.05, 0.0, 0.09, 0.3, np.nan])))
            )
    table = pd.DataFrame(rows, columns=["example", "context", "start", "over_control"])
    n = draw(st.integers(0, 4))
    return table.assign(cre=[["enhancer", "silencer"][i % 2] if i < 2 * n else None for i in range(len(table))])


@given(table=tile_tables(), seed=st.integers(0, 99))
def test_neutral_tiles_are_one_per_gene_without_effect_and_as_many_as_cres(table: pd.DataFrame, seed: int) -> None:
    before = table.copy()
    neutral = sample_neutral_tiles(table, random_state=seed)
    pd.testing.assert_frame_equal(table, before)
    fit = table[(table["context"] == "neutral") & (table["over_control"].abs() < 0.1)]
    calls = table["cre"].value_counts()
    wanted = round((calls.get("enhancer", 0) + calls.get("silencer", 0)) / 2)
    assert len(neutral) == min(wanted, fit["example"].nunique())
    assert neutral["example"].is_unique and set(neutral.index) <= set(fit.index)
    assert (neutral["cre"] == "neutral").all() and neutral.index.is_monotonic_increasing
    shuffled = sample_neutral_tiles(table.sample(frac=1, random_state=seed), random_state=seed)
    pd.testing.assert_frame_equal(shuffled.sort_index(), neutral)
    # The tile that is drawn of a gene does not depend on other genes.
    alone = table[table["example"] == table["example"].iloc[-1]]
    drawn = sample_neutral_tiles(alone, random_state=seed, n=1)
    everything = sample_neutral_tiles(table, random_state=seed, n=len(table))
    pd.testing.assert_frame_equal(everything[everything["example"] == table["example"].iloc[-1]], drawn)


def test_seeds_draw_other_neutral_tiles() -> None:
    table = pd.DataFrame({"example": np.repeat([f"G{i}" for i in range(20)], 5), "start": np.tile(range(5), 20)})
    table = table.assign(context="neutral", over_control=0.0)
    drawn = [set(sample_neutral_tiles(table, random_state=seed, n=10).index) for seed in range(3)]
    assert len(set(map(frozenset, drawn))) == 3 and all(len(some) == 10 for some in drawn)


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"track": [0, 1, 0, 1], "start": [0, 0, 5, 5]}, {}, "for one track; got example 'a', start 0 twice"),
        ({}, {"max_effect": 0}, "max_effect must be above 0; got 0"),
        ({}, {"n": -1}, "n must be at least 0; got -1"),
        ({}, {"random_state": -1}, "random_state must be at least 0; got -1"),
        ({}, {"effect": "over_wt"}, "must have column 'over_wt'"),
    ],
)
def test_bad_tables_of_tiles_are_named(change: dict, options: dict, match: str) -> None:
    table = pd.DataFrame({"example": ["a"] * 4, "start": [0, 5, 10, 15], "context": "neutral", "over_control": 0.0})
    with pytest.raises(ValueError, match=match):
        sample_neutral_tiles(table.assign(**change), **{"random_state": 0, "n": 1} | options)
    with pytest.raises(ValueError, match="must have column 'cre'"):
        sample_neutral_tiles(table, random_state=0)
