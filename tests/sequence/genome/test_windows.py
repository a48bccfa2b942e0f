"""Test windows against a naive reader of single bases, tiles in the genome, and errors of bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyfaidx
import pytest
import torch
from fasta_cases import text_of, write_fasta
from hypothesis import given, settings, strategies as st
from tangermeme.io import extract_loci
from tangermeme.utils import PackedSequence, TangermemeWarning

from tangermeme_creme.sequence.genome import chrom_sizes, extract_windows, read_tss, stream_windows, tiles_to_genome

PAIRS = dict(zip("ACGT", "TGCA"))


def genome(rng: np.random.Generator, sizes: dict[str, int], letters: str = "ACGTacgtNnRYk") -> dict[str, str]:
    return {name: "".join(rng.choice(list(letters), size)) for name, size in sizes.items()}


def base(text: str, position: int) -> str:
    """Return the expected base of a chromosome: unknown off its ends and where it is not A, C, G or T."""
    letter = text[position].upper() if 0 <= position < len(text) else "N"
    return letter if letter in PAIRS else "N"


def naive_window(text: str, tss: int, strand: str, length: int, center: int | None = None) -> str:
    """Build the window base by base, from the TSS at index `center`, by default length // 2."""
    before = length // 2 if center is None else center
    if strand == "+":
        return "".join(base(text, tss + i - before) for i in range(length))
    return "".join(PAIRS.get(base(text, tss - i + before), "N") for i in range(length))


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int, dict[str, int], list[tuple[str, int, str]]]:
    """Draw a seed, the length of windows, sizes of two chromosomes, and TSSs on them under either name."""
    sizes = {"chr1": draw(st.integers(1, 60)), "2": draw(st.integers(1, 60))}
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from(["chr1", "1", "2", "chr2"]))
        tss = draw(st.integers(0, sizes["2" if "2" in name else "chr1"] - 1))
        rows.append((name, tss, draw(st.sampled_from("+-"))))
    return draw(st.integers(0, 99)), draw(st.integers(1, 40)), sizes, rows


@settings(deadline=None, max_examples=100)
@given(case=places(), batch=st.integers(1, 4), share=st.sampled_from([None, 0.0, 0.3, 0.99]))
@pytest.mark.filterwarnings("ignore:.*are padded with N")
@pytest.mark.filterwarnings("ignore:.*have no known base")
@pytest.mark.filterwarnings("ignore:.*lie wholly off their chromosome")
def test_windows_are_those_of_a_naive_reading_and_tiles_are_where_they_came_from(
    case: tuple, batch: int, share: float | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seed, length, sizes, rows = case
    center = None if share is None else int(share * length)
    rng = np.random.default_rng(seed)
    sequences = genome(rng, sizes)
    path = write_fasta(tmp_path_factory.mktemp("fa") / "genome.fa", sequences, columns=int(rng.integers(1, 20)))
    loci = pd.DataFrame(rows, columns=["chrom", "tss", "strand"])
    before = loci.copy()
    text = [sequences["2" if "2" in name else "chr1"] for name in loci["chrom"]]
    expected = [naive_window(*row, length, center) for row in zip(text, loci["tss"], loci["strand"])]

    X = extract_windows(path, loci, length, center=center)
    assert X.dtype == torch.int8 and X.shape == (len(loci), 4, length)
    assert [text_of(x) for x in X] == expected
    packed = extract_windows(path, loci, length, center=center, packed=True)
    assert isinstance(packed, PackedSequence) and torch.equal(packed.to_one_hot(dtype=torch.int8), X)
    with pyfaidx.Fasta(str(path)) as fasta:
        assert torch.equal(extract_windows(fasta, loci, length, center=center), X)
        assert str(fasta["chr1"][0:1])  # stays open
    batches = list(stream_windows(path, loci, length, center=center, batch_size=batch))
    assert torch.equal(torch.cat([some for _, some in batches]), X)
    pd.testing.assert_frame_equal(pd.concat([part for part, _ in batches]), loci)
    pd.testing.assert_frame_equal(loci, before)

    # The invariant: the sequence of the genome at the span of a tile, reverse-complemented on '-', is that of the tile.
    size = int(rng.integers(1, length + 1))
    starts = np.arange(rng.integers(0, length - size + 1), length - size + 1, size)
    tiles = torch.tensor(np.stack([starts, starts + size], axis=1))
    table = tiles_to_genome(tiles, loci, length, center=center)
    assert table["example"].tolist() == [i for i in range(len(loci)) for _ in tiles]
    for row in table.itertuples():
        assert row.end - row.start == size
        there = "".join(base(text[row.example], p) for p in range(row.start, row.end))
        if row.strand == "-":
            there = "".join(PAIRS.get(letter, "N") for letter in reversed(there))
        assert there == expected[row.example][row.tile_start : row.tile_end]

    # With `sizes`, the spans are the same without the padding.
    cut = tiles_to_genome(tiles, loci, length, center=center, sizes=chrom_sizes(path))
    ends = [len(text[i]) for i in table["example"]]
    inside = [
        (max(row.start, 0), min(row.end, size), row.example)
        for row, size in zip(table.itertuples(), ends)
        if row.end > 0 and row.start < size
    ]
    assert list(cut[["start", "end", "example"]].itertuples(index=False, name=None)) == inside


def test_windows_inside_are_those_of_extract_loci(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = write_fasta(tmp_path / "genome.fa", genome(rng, {"chr1": 500, "chr2": 400}, "ACGTacgtN"), 60)
    loci = pd.DataFrame({"chrom": ["chr1", "chr2"] * 5, "tss": rng.integers(100, 300, 10), "strand": "+"})
    bed = pd.DataFrame({"chrom": loci["chrom"], "start": loci["tss"], "end": loci["tss"] + 1})
    for length in (100, 101):
        assert torch.equal(extract_windows(path, loci, length), extract_loci(bed, str(path), in_window=length))


def test_padded_windows_are_counted(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGTACGTAC"})
    loci = pd.DataFrame({"chrom": "chr1", "tss": [0, 5, 9, 5], "strand": ["+", "-", "-", "+"]})
    with pytest.warns(TangermemeWarning, match="2 of 4 windows of 6 bp run off their chromosome and are padded with N"):
        X = extract_windows(path, loci, 6)
    # By hand: index 3 is the TSS. '-' at 9 is the complement of positions 12 down to 7, of which 9, 8 and 7 are there.
    assert [text_of(x) for x in X] == ["NNNACG", "TACGTA", "NNNGTA", "GTACGT"]
    with pytest.warns(TangermemeWarning, match="2 of 4 windows"):
        stream_windows(path, loci, 6)


@pytest.mark.parametrize("center", [0, 2, 5])
def test_the_tss_is_at_the_center_on_both_strands(center: int, tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "A" * 20 + "G" + "T" * 20})
    loci = pd.DataFrame({"chrom": "chr1", "tss": 20, "strand": ["+", "-"]})
    X = extract_windows(path, loci, 6, center=center)
    assert [text_of(x)[center] for x in X] == ["G", "C"]
    assert [text_of(x) for x in X] == ["A" * center + base + "T" * (5 - center) for base in "GC"]
    ((_, batch),) = stream_windows(path, loci, 6, center=center)
    assert torch.equal(batch, X)
    tss = tiles_to_genome([(center, center + 1)], loci, 6, center=center)
    assert tss[["start", "end"]].to_numpy().tolist() == [[20, 21], [20, 21]]


@pytest.mark.parametrize("center", [-1, 6, 2.5, True])
def test_a_center_off_the_window_is_refused(center: object, tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 5})
    loci = pd.DataFrame({"chrom": ["chr1"], "tss": [5], "strand": ["+"]})
    for act in (extract_windows, stream_windows):
        with pytest.raises(ValueError, match=f"center must be .*; got {center}"):
            act(path, loci, 6, center=center)
    with pytest.raises(ValueError, match=f"center must be .*; got {center}"):
        tiles_to_genome([(0, 1)], loci, 6, center=center)  # type: ignore[arg-type]


def test_windows_of_n_alone_are_counted(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 3 + "N" * 12})
    loci = pd.DataFrame({"chrom": "chr1", "tss": [4, 18, 20, 8], "strand": "+"})
    message = "2 of 4 windows have no known base, N throughout; the first is at row 1"
    with pytest.warns(TangermemeWarning, match=message):
        extract_windows(path, loci, 4)
    with pytest.warns(TangermemeWarning, match=message) as caught:
        list(stream_windows(path, loci, 4, batch_size=1))
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize(
    ("loci", "match"),
    [
        (
            {"chrom": ["chr1", "chr3"]},
            r"chromosomes of genome\.fa, which has chr1, chr2; got 'chr3' at row 1, and 1 of 2",
        ),
        ({"chrom": ["3", "4"]}, r"got '3' at row 0, and 2 of 2 rows on chromosomes it lacks \(3, 4\)"),
        ({"tss": [5, 20]}, r"on its chromosome, chr2 of 20 bp in genome\.fa; got 20 at row 1: is it another assembly"),
        ({"tss": [5, -1]}, "tss of loci must be a whole number of bp, 0 or more; got -1 at row 1"),
        ({"strand": ["+", "."]}, r"strand of loci must be '\+' or '-'; got '\.' at row 1"),
    ],
)
def test_loci_that_are_not_in_the_genome_are_named(loci: dict, match: str, tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 5, "chr2": "ACGT" * 5})
    table = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [5, 6], "strand": ["+", "-"]} | loci)
    for read in (extract_windows, stream_windows):
        with pytest.raises(ValueError, match=match):  # stream_windows raises before the first batch
            read(path, table, 4)


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 5})
    loci = pd.DataFrame({"chrom": ["chr1"], "tss": [5], "strand": ["+"]})
    with pytest.raises(ValueError, match="length must be at least 1; got 0"):
        extract_windows(path, loci, 0)
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        stream_windows(path, loci, 4, batch_size=0)
    with pytest.raises(ValueError, match="loci must have at least one row; got none"):
        extract_windows(path, loci[:0], 4)
    with pytest.raises(ValueError, match=r"loci must be a pandas.DataFrame; got list"):
        extract_windows(path, [("chr1", 5, "+")], 4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="loci must have column 'strand'; got chrom, tss"):
        extract_windows(path, loci[["chrom", "tss"]], 4)
    with pytest.raises(ValueError, match=r"fasta must be a file; got .*nowhere\.fa"):
        extract_windows(tmp_path / "nowhere.fa", loci, 4)


def test_sizes_of_chromosomes(tmp_path: Path) -> None:
    sizes = {"chr2": 13, "chr1": 7, "chrUn_1v1": 1}
    path = write_fasta(tmp_path / "genome.fa", genome(np.random.default_rng(0), sizes))
    assert chrom_sizes(path) == sizes and list(chrom_sizes(path)) == list(sizes)


def test_a_gtf_and_a_fasta_give_windows_with_the_tss_in_the_middle(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "A" * 49 + "G" + "T" * 50, "chr2": "A" * 49 + "G" + "T" * 50})
    line = '{}\tX\ttranscript\t{}\t{}\t.\t{}\t.\tgene_id "{}"; gene_biotype "protein_coding";\n'
    (tmp_path / "genes.gtf").write_text(line.format("1", 50, 70, "+", "A") + line.format("2", 30, 50, "-", "B"))
    X = extract_windows(path, read_tss(tmp_path / "genes.gtf"), 21)
    assert [text_of(x) for x in X] == ["A" * 10 + "G" + "T" * 10, "A" * 10 + "C" + "T" * 10]
