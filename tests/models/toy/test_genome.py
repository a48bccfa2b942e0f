"""Test the simulated genome and its files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from motif_text import motifs_in, motifs_of, reverse_complement
from pyfaidx import Fasta

from tangermeme_creme.models.toy import (
    Element,
    Genome,
    RegulatoryToy,
    expected_activity,
    simulate_genome,
    within,
    write_genome,
)

LENGTH, TILE = 8192, 1000
ELEMENTS = [
    Element("promoter", 4096),
    Element("enhancer", 600, copies=6),
    Element("silencer", 7000, copies=3),
]


def window_of(genome: Genome, gene: int) -> str:
    """Fetch the window of a gene by its coordinates, worked out by hand."""
    chrom, tss, strand = genome.loci.loc[gene, ["chrom", "tss", "strand"]]
    if strand == "+":
        return genome.sequences[chrom][tss - LENGTH // 2 : tss - LENGTH // 2 + LENGTH]
    end = tss + LENGTH // 2 + 1
    return reverse_complement(genome.sequences[chrom][end - LENGTH : end])


@pytest.fixture(scope="module")
def genome() -> Genome:
    return simulate_genome(6, length=LENGTH, tile_size=TILE, random_state=3)


@pytest.fixture(scope="module")
def paths(genome: Genome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_genome(genome, tmp_path_factory.mktemp("genome") / "new" / "folder")


def test_genome_windows_hold_their_elements_on_both_strands(genome: Genome) -> None:
    assert genome.loci["strand"].tolist() == ["+", "-"] * 3
    model = RegulatoryToy(LENGTH, response="saturating")
    for gene, (name, elements) in enumerate(genome.elements.items()):
        text = window_of(genome, gene)
        assert genome.loci.loc[gene, "gene_name"] == name
        assert motifs_in(text) == motifs_of(elements)
        X = torch.tensor([[[base == channel for base in text] for channel in "ACGT"]], dtype=torch.float32)
        expected = expected_activity(elements, length=LENGTH, response="saturating")
        np.testing.assert_allclose(model(X)[0, model.tss_bin], expected, rtol=1e-5)


def test_genome_chromosomes_are_a_window_and_two_margins() -> None:
    for margin in (0, 7, 1000):
        genome = simulate_genome(2, length=LENGTH, tile_size=TILE, random_state=0, margin=margin)
        assert {len(text) for text in genome.sequences.values()} == {LENGTH + 2 * margin}
        assert genome.loci["tss"].tolist() == [margin + LENGTH // 2, margin + LENGTH // 2 - 1]
        assert [window_of(genome, g) for g in (0, 1)] == [
            text[::step].translate(str.maketrans("ACGT", table))[margin : margin + LENGTH]
            for text, step, table in zip(genome.sequences.values(), (1, -1), ("ACGT", "TGCA"), strict=True)
        ]


def test_genome_truth_gives_the_motifs_where_they_lie(genome: Genome) -> None:
    for row in genome.truth.itertuples():
        text = genome.sequences[row.chrom][row.start : row.end]
        text = text if row.strand == "+" else reverse_complement(text)
        assert motifs_in(text) == motifs_of([Element(row.kind, 0, row.copies)])
        assert len(text) == Element(row.kind, 0, row.copies).end
    assert len(genome.truth) == sum(len(elements) for elements in genome.elements.values())
    assert genome.truth.groupby("chrom")["start"].is_monotonic_increasing.all()


@pytest.mark.parametrize(("length", "tile_size"), [(LENGTH, TILE), (1280, 180), (196608, 5000), (16384, 2048)])
def test_genome_loci_have_the_contexts_they_are_named_for(length: int, tile_size: int) -> None:
    low = length // 2 - tile_size // 2
    tss_tile = (low, low + tile_size)
    for seed in range(2 if length > 1e5 else 10):
        genome = simulate_genome(5, length=length, tile_size=tile_size, random_state=seed)
        effects = []
        for elements in genome.elements.values():
            promoter, *context = elements
            assert promoter.kind == "promoter"
            assert promoter.start // 128 == (promoter.end - 1) // 128 == length // 2 // 128
            tiles = [(e.start - low) // tile_size for e in context]
            assert tiles == [(e.end - 1 - low) // tile_size for e in context]
            assert len({0, *tiles}) == len(elements)
            assert all(low + t * tile_size >= 0 and low + (t + 1) * tile_size <= length for t in tiles)
            settings = {"length": length, "response": "multiplicative"}
            wt = expected_activity(elements, **settings)
            effects.append((wt - expected_activity(within(elements, [tss_tile]), **settings)) / wt)
        assert min(effects[0]) > 0.95
        assert max(effects[1]) < -0.3
        assert effects[2][0] != pytest.approx(effects[2][1])
        assert effects[3].tolist() == [0, 0]
        assert min(effects[4]) > 0.95
        assert genome.elements["SIM5"] != genome.elements["SIM1"]


def test_genome_promoter_lies_in_a_bin_that_is_just_wide_enough() -> None:
    genome = simulate_genome(1, length=16 * 101, tile_size=200, random_state=0, bin_size=16)
    assert genome.elements["SIM1"][0] == Element("promoter", 800)  # the centre is 808


def test_genome_elements_keep_off_the_edges_of_their_tiles() -> None:
    low = LENGTH // 2 - TILE // 2
    for seed in range(10):
        for elements in simulate_genome(3, length=LENGTH, tile_size=TILE, random_state=seed).elements.values():
            for element in elements[1:]:
                assert (element.start - low) % TILE >= TILE // 8
                assert (element.end - low) % TILE <= TILE - TILE // 8


def test_genome_depends_on_the_seed_and_not_on_the_number_of_loci(genome: Genome) -> None:
    again = simulate_genome(2, length=LENGTH, tile_size=TILE, random_state=3)
    other = simulate_genome(2, length=LENGTH, tile_size=TILE, random_state=4)
    assert again.sequences == {chrom: genome.sequences[chrom] for chrom in ("sim1", "sim2")}
    assert again.elements == {gene: genome.elements[gene] for gene in ("SIM1", "SIM2")}
    assert other.elements["SIM1"] != again.elements["SIM1"]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"n_loci": 0}, "n_loci must be positive and margin at least 0; got 0 and 1000"),
        ({"margin": -1}, "n_loci must be positive and margin at least 0; got 4 and -1"),
        ({"length": 8000}, "length a positive multiple of it; got 128 and 8000"),
        ({"bin_size": 8}, "bin_size must be at least 16 and .*; got 8 and 8192"),
        ({"tile_size": 179}, "tile_size must be at least 180; got 179"),
        ({"tile_size": 2700}, "at least 3 context tiles must fit; got 2 of 2700 bp in 8192 bp"),
    ],
)
def test_genome_refuses_bad_numbers(changes: dict[str, int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        simulate_genome(**{"length": LENGTH, "tile_size": TILE, "random_state": 0} | changes)


def test_written_fasta_reads_back(genome: Genome, paths: dict[str, Path]) -> None:
    with Fasta(str(paths["fasta"]), as_raw=True) as fasta:
        assert {chrom: fasta[chrom][:] for chrom in fasta.keys()} == genome.sequences  # noqa: SIM118
    assert {len(line) for line in paths["fasta"].read_text().splitlines()} <= {
        5,
        60,
        len(genome.sequences["sim1"]) % 60,
    }


def test_written_gtf_gives_the_tss(genome: Genome, paths: dict[str, Path]) -> None:
    gtf = pd.read_csv(paths["gtf"], sep="\t", comment="#", header=None)
    assert gtf[2].tolist() == ["gene", "transcript"] * 6
    tss = np.where(gtf[6] == "+", gtf[3], gtf[4]) - 1
    assert tss.tolist() == genome.loci["tss"].repeat(2).tolist()
    assert gtf[0].tolist() == genome.loci["chrom"].repeat(2).tolist()
    assert gtf[6].tolist() == genome.loci["strand"].repeat(2).tolist()
    assert (gtf[3] >= 1).all()
    assert (gtf[3] <= gtf[4]).all()
    assert (gtf[4] <= LENGTH + 2000).all()
    for key in ("gene_name", "gene_id"):
        assert gtf[8].str.extract(f'{key} "([^"]+)"')[0].tolist() == genome.loci[key].repeat(2).tolist()
    assert gtf[8].str.contains('gene_type "protein_coding";').all()
    assert gtf[8].str.contains('transcript_id "').tolist() == [False, True] * 6


def test_written_tables_read_back(genome: Genome, paths: dict[str, Path]) -> None:
    pd.testing.assert_frame_equal(pd.read_csv(paths["loci"], sep="\t"), genome.loci)
    bed = pd.read_csv(paths["truth"], sep="\t", names=["chrom", "start", "end", "kind", "copies", "strand"])
    pd.testing.assert_frame_equal(bed, genome.truth.drop(columns="gene_name"))


def test_writing_leaves_nothing_half_written(genome: Genome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "genome.fa").write_text("before")

    def fail(*args: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            write_genome(genome, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["genome.fa"]
    assert (tmp_path / "genome.fa").read_text() == "before"

    names = {path.name for path in write_genome(genome, tmp_path).values()}
    assert {path.name for path in tmp_path.iterdir()} == names
