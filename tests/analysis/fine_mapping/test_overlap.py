"""Kept bases in common, and known elements in the windows of both strands."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

from tangermeme_creme.analysis.fine_mapping import overlap_table, spans_of_mask, truth_mask

flags = st.lists(st.booleans(), min_size=1, max_size=40)


@given(flags=flags, first=st.integers(0, 1000))
def test_spans_of_a_mask_are_its_bases(flags: list[bool], first: int) -> None:
    spans = spans_of_mask(torch.tensor(flags), first)
    assert [p for start, end in spans for p in range(start, end)] == [first + p for p, flag in enumerate(flags) if flag]
    assert all(end < start for (_, end), (start, _) in pairwise(spans))  # none touch


@given(seed=st.integers(0, 1000), draws=st.integers(1, 4), width=st.integers(1, 30))
def test_overlap_is_that_of_sets(seed: int, draws: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    masks = {
        "one": torch.from_numpy(rng.random((1, width)) < 0.6),
        "many": torch.from_numpy(rng.random((draws, width)) < 0.6),
        "other": torch.from_numpy(rng.random((1, width)) < 0.6),
    }
    table = overlap_table(masks)
    assert table[["method", "other"]].to_numpy().tolist() == [["one", "many"], ["one", "other"], ["many", "other"]]
    for row in table.itertuples():
        sets = [[set(np.flatnonzero(mask)) for mask in masks[name].numpy()] for name in (row.method, row.other)]
        pairs = [(a, b) for a in sets[0] for b in sets[1]]
        assert row.bp == pytest.approx(np.mean([len(a) for a in sets[0]]))
        assert row.other_bp == pytest.approx(np.mean([len(b) for b in sets[1]]))
        assert row.shared_bp == pytest.approx(np.mean([len(a & b) for a, b in pairs]))
        jaccard = [len(a & b) / len(a | b) if a | b else np.nan for a, b in pairs]
        assert row.jaccard == pytest.approx(np.mean(jaccard), nan_ok=True)


def test_one_method_overlaps_with_nothing() -> None:
    assert len(overlap_table({"one": torch.ones(1, 5, dtype=torch.bool)})) == 0


LENGTH, SPANS = 101, torch.tensor([[10, 30], [60, 80]])
LOCI = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [1000, 5000], "strand": ["+", "-"]})


def genomic(i: int, position: int) -> int:
    """Where a base of window i lies in the genome, by counting from its TSS."""
    steps = position - LENGTH // 2
    return int(LOCI["tss"][i]) + (steps if LOCI["strand"][i] == "+" else -steps)


@given(data=st.data())
def test_truth_in_the_genome_is_the_same_bases_of_the_window(data: st.DataObject) -> None:
    element = st.tuples(st.sampled_from(["chr1", "chr2", "chr3"]), st.integers(900, 5100), st.integers(1, 60))
    near = st.tuples(st.sampled_from([0, 1]), st.integers(0, 100), st.integers(1, 40))
    rows = [("chr1", 5, 9)]  # far away
    rows += [(chrom, start, start + size) for chrom, start, size in data.draw(st.lists(element, max_size=3))]
    for i, position, size in data.draw(st.lists(near, max_size=4)):
        place = genomic(i, position)
        rows.append((LOCI["chrom"][i], place, place + size))
    table = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    mask = truth_mask(table, SPANS, ids=[0, 1], loci=LOCI, length=LENGTH)
    for i, (start, end) in enumerate(SPANS.tolist()):
        for position in range(start, end):
            base = genomic(i, position)
            inside = any(chrom == LOCI["chrom"][i] and a <= base < b for chrom, a, b in rows)
            assert bool(mask[i, position - start]) == inside


@pytest.mark.parametrize("chrom", [1, "1", "chr1"])
def test_chromosomes_may_be_numbers_and_names_with_chr_or_without(chrom: object) -> None:
    truth = pd.DataFrame({"chrom": [chrom], "start": [965], "end": [970]})
    for loci in (LOCI, LOCI.assign(chrom=[1, 2])):
        assert truth_mask(truth, SPANS, ids=[0, 1], loci=loci, length=LENGTH).sum(1).tolist() == [5, 0]


def test_truth_from_a_bed_file_is_that_of_the_table(tmp_path: Path) -> None:
    table = pd.DataFrame({"chrom": ["chr1", "chr2", "chr2"], "start": [965, 4975, 7], "end": [970, 4985, 9]})
    lines = ["browser position chr1:1-9", "track name=known", "# a comment", ""]
    lines += [f"{row.chrom}\t{row.start}\t{row.end}\tname\t0\t+" for row in table.itertuples()]
    path = tmp_path / "truth.bed"
    path.write_text("\n".join(lines) + "\n")
    expected = truth_mask(table, SPANS, ids=[0, 1], loci=LOCI, length=LENGTH)
    assert expected.any(1).all()
    for given_as in (path, str(path)):
        assert torch.equal(truth_mask(given_as, SPANS, ids=[0, 1], loci=LOCI, length=LENGTH), expected)


def test_truth_in_the_window_goes_by_the_names_of_examples() -> None:
    table = pd.DataFrame({"example": ["b", "b", "a"], "start": [61, 75, 0], "end": [63, 99, 12]})
    mask = truth_mask(table, SPANS, ids=["a", "b"], loci=None, length=LENGTH)
    assert spans_of_mask(mask[0], 10) == [(10, 12)]
    assert spans_of_mask(mask[1], 60) == [(61, 63), (75, 80)]


WINDOW = pd.DataFrame({"example": ["a"], "start": [20], "end": [25]})
GENOME = pd.DataFrame({"chrom": ["chr1"], "start": [20], "end": [25]})
BAD: dict[str, tuple[Any, Any, str]] = {
    "columns": (GENOME, None, "table must have column 'example'; got chrom, start, end"),
    "genomic columns": (WINDOW, LOCI, "table must have column 'chrom'; got example, start, end"),
    "empty element": (WINDOW.assign(end=20), None, r"truth must end after it starts; got \[20, 20\) at row 0"),
    "chromosomes": (
        GENOME.assign(chrom="chr9"),
        LOCI,
        "truth must have chromosomes of loci, 'chr1'; got 'chr9'",
    ),
    "name": (WINDOW.assign(example="c"), None, "truth must be of the examples; got 'c'"),
    "loci": (GENOME, LOCI[:1], r"loci must have one row per example \(2\); got 1"),
    "columns of loci": (GENOME, LOCI.drop(columns="strand"), "table must have column 'strand'"),
    "strand": (GENOME, LOCI.assign(strand="."), r"strand must be '\+' or '-'; got '\.'"),
    "no loci": ("truth.bed", None, "truth must come with loci where it is in bp of the genome; got truth.bed alone"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_truth_is_named(name: str) -> None:
    truth, loci, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        truth_mask(truth, SPANS, ids=["a", "b"], loci=loci, length=LENGTH)


@pytest.mark.parametrize("line", ["chr1\t5", "chr1\t5\tend", "chr1"])
def test_a_bad_line_of_a_bed_file_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.bed"
    path.write_text(f"chr1\t5\t6\n{line}\n")
    with pytest.raises(
        ValueError, match=r"a BED line must be chrom, start, end, .*; got 'chr1.*' in line 2 of .*truth\.bed"
    ):
        truth_mask(path, SPANS, ids=["a", "b"], loci=LOCI, length=LENGTH)
