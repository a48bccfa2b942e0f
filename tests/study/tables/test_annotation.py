"""What files say of the places of CREs, against the analysis functions and against the genome itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyfaidx
import pytest
from figwig import write_bigwig
from study_tables import COMPLEMENT, LENGTH, LOCI, SIZES, TRACKS, Tabled, made_spec, made_study, made_tables
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis.annotate import (
    bed_overlap,
    bigwig_signal,
    overlap_by_group,
    sample_neutral_tiles,
    signal_enrichment,
)
from tangermeme_creme.sequence.genome import extract_windows
from tangermeme_creme.study.tables import ANNOTATION_TABLES, annotate, genome_sizes, in_genome, placed_loci


def annotated(study: Tabled) -> dict[str, pd.DataFrame]:
    return annotate(study.spec, {name: study.table(name) for name in study.tables})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, object]:
    """A file of each kind."""
    rng = np.random.default_rng(2)
    chroms, starts = np.repeat(list(SIZES), list(SIZES.values())), np.concatenate(list(map(np.arange, SIZES.values())))
    write_bigwig(tmp_path / "a.bw", SIZES, chroms, starts, rng.uniform(1, 2, len(starts)), ends=starts + 1)
    write_bigwig(tmp_path / "b.bw", SIZES, ["chr1", "chr2"], [0, 0], np.arange(2000.0).reshape(2, 1000) + 1)
    (tmp_path / "a.bed").write_text("chr1\t0\t60\nchr2\t700\t900\n")
    (tmp_path / "b.bed").write_text("chr1\t0\t3000\n")
    (tmp_path / "genes.txt").write_text("AAA\nDDD\nZZZ\n")
    rmsk = "585\t1\t0\t0\t0\tchr1\t{}\t{}\t-9\t+\tAluJo\t{}\tAlu\t1\t2\t3\t4\n"
    (tmp_path / "rmsk.txt").write_text(rmsk.format(10, 40, "SINE") + rmsk.format(1000, 1400, "LINE"))
    return {
        "bigwig": {"DNase": str(tmp_path / "a.bw"), "CTCF": str(tmp_path / "b.bw")},
        "bed": {"promoter": str(tmp_path / "a.bed"), "chr1": str(tmp_path / "b.bed")},
        "gene_lists": {"housekeeping": str(tmp_path / "genes.txt")},
        "repeats": str(tmp_path / "rmsk.txt"),
        "neutral": 2,
        "gaps": 0.0,
    }


def test_cres_and_kept_bases_lie_where_their_bases_do(tmp_path):
    made = annotated(made_study(tmp_path))
    assert list(made) == ["cres_genome", "kept_genome"]
    fasta = tmp_path / "genome.fa"
    with pytest.warns(TangermemeWarning, match="2 of 6"):  # padded
        windows = extract_windows(fasta, LOCI, LENGTH)
    bases = {name: "".join("NACGT"[int(k)] for k in codes) for name, codes in zip(LOCI["example"], _codes(windows))}
    genome = pyfaidx.Fasta(str(fasta))
    assert set(made["cres_genome"]["strand"]) == {"+", "-"}
    for table in made.values():
        for row in table.itertuples():
            there = str(genome[row.chrom][row.start : row.end])
            window = bases[row.example][row.tile_start : row.tile_end]
            assert (there if row.strand == "+" else there[::-1].translate(COMPLEMENT)) == window.replace("N", "")


def _codes(windows):
    return ((windows.argmax(1) + 1) * windows.sum(1)).tolist()


@pytest.mark.parametrize(("column", "broken"), [("tss", "unknown"), ("strand", ".")])
def test_places_that_are_broken_cost_nothing_but_what_is_in_the_genome(tmp_path, files, column, broken):
    study = made_study(tmp_path, **files)
    loci = study.given["loci"].astype({column: object})
    loci.loc[0, column] = broken
    study.given["loci"] = loci
    with pytest.warns(TangermemeWarning, match=r"annotation\..* is left out"):
        made = annotated(study)
    assert list(made) == ["gene_overlap", "gene_overlap_by_group", "annotation_failures"]
    assert made["annotation_failures"]["message"].str.contains(broken, regex=False).any()


def test_distance_is_in_the_direction_of_transcription(tmp_path):
    cres = annotated(made_study(tmp_path))["cres_genome"]
    middle = (cres["tile_start"] + cres["tile_end"] - 1) / 2 - LENGTH // 2
    whole = cres["end"] - cres["start"] == 100
    assert whole.sum() == len(cres) and cres["distance"].tolist() == middle.tolist()


def test_rows_are_by_example_track_and_tile_whatever_their_order_was(tmp_path, files):
    spec, tables = made_spec(tmp_path, **files), made_tables()
    made = annotate(spec, tables)
    turned = annotate(spec, {name: table.iloc[::-1] for name, table in tables.items()})
    assert list(made) == list(turned) == list(ANNOTATION_TABLES[:-1])
    for name in made:
        pd.testing.assert_frame_equal(made[name], turned[name])
    keys = [(row.example, TRACKS.index(row.track), row.tile) for row in made["cres_genome"].itertuples()]
    assert keys == sorted(keys) and len(keys) == len(tables["cres"])


def test_signal_overlap_and_tests_are_those_of_the_functions(tmp_path, files):
    study = made_study(tmp_path, **files)
    made = annotated(study)
    signal = made["cre_signal"]
    groups = signal.loc[signal["signal"] == "DNase", list(signal.columns[:-4])]
    direct = bigwig_signal(groups, study.spec.annotation.bigwig, gaps=0.0, sizes=SIZES)
    pd.testing.assert_frame_equal(signal, direct)
    pairs = [("enhancer", "silencer"), ("enhancer", "neutral"), ("silencer", "neutral")]
    for value in ("mean", "max"):
        tests = signal_enrichment(signal, value, pairs=pairs, by=["track", "signal"])
        keys = ["track", "signal", "group_1", "group_2"]
        mine = made["cre_enrichment"].query("value == @value").set_index(keys)
        pd.testing.assert_frame_equal(mine.sort_index(), tests.set_index(keys).sort_index())
    overlap = made["cre_overlap"]
    beds = overlap[overlap["kind"] == "bed"].drop(columns="kind").reset_index(drop=True)
    pd.testing.assert_frame_equal(beds, bed_overlap(groups, study.spec.annotation.bed))
    assert overlap["annotation"].iloc[:5].tolist() == ["chr1", "promoter", "any", "LINE", "SINE"]
    keys = ["track", "kind", "annotation", "cre"]
    direct = overlap_by_group(overlap, by=keys[:3]).set_index(keys).sort_index()
    pd.testing.assert_frame_equal(made["cre_overlap_by_group"].set_index(keys).sort_index(), direct)
    first = overlap[(overlap["example"] == "g1") & (overlap["track"] == "K562") & (overlap["tile"] == 2)]
    assert dict(zip(first["annotation"], first["fraction"])) == {
        "promoter": 0.6, "chr1": 1.0, "any": 0.3, "LINE": 0.0, "SINE": 0.3
    }  # fmt: skip


def test_neutral_tiles_are_of_neutral_contexts_one_a_locus_and_on_the_chromosome(tmp_path, files):
    made = annotated(made_study(tmp_path, **files))
    signal = made["cre_signal"].drop_duplicates(["example", "track", "tile"])
    neutral = signal[signal["cre"] == "neutral"]
    assert not neutral.duplicated(["example", "track"]).any()
    assert set(zip(neutral["example"], neutral["track"])) == {
        ("g5", "K562"), ("g6", "K562"), ("g3", "../../x"), ("g4", "../../x")
    }  # fmt: skip
    assert (neutral["context"] == "neutral").all() and (neutral["effect"].abs() < 0.1).all()
    assert (neutral["start"] >= 0).all()
    tables = made_tables()
    tiles = in_genome(tables["sufficiency"], placed_loci(LOCI), LENGTH, SIZES)
    for track in TRACKS:
        drawn = sample_neutral_tiles(tiles[tiles["track"] == track], n=99, random_state=3)  # the seed of the study
        mine = neutral[neutral["track"] == track]
        assert set(zip(mine["example"], mine["tile"])) == set(zip(drawn["example"], drawn["tile"]))
    without = annotated(made_study(tmp_path, **{**files, "neutral": 0}))
    assert set(without["cre_signal"]["cre"]) == {"enhancer", "silencer"}
    pd.testing.assert_frame_equal(without["cres_genome"], made["cres_genome"])


def test_a_tile_that_is_called_is_not_neutral_however_weak_it_is(tmp_path, files):
    tables = made_tables()
    tiles = tables["sufficiency"]
    weak = (tiles["context"] == "neutral") & (tiles["track"] == "K562") & (tiles["tile"] != 3)
    tables["sufficiency"] = tiles.assign(cre=tiles["cre"].where(~weak, "silencer"))
    signal = annotate(made_spec(tmp_path, **files), tables)["cre_signal"]
    neutral = signal[(signal["cre"] == "neutral") & (signal["track"] == "K562")]
    assert set(zip(neutral["example"], neutral["tile"])) == {("g5", 3), ("g6", 3)}


def test_genes_are_looked_up_in_lists_by_category(tmp_path, files):
    study = made_study(tmp_path, **files)
    made = annotated(study)
    overlap = made["gene_overlap"]
    assert "g5" not in set(overlap["example"])  # has no name
    listed = overlap[overlap["fraction"] == 1]
    assert set(zip(listed["example"], listed["track"])) == {(gene, track) for gene in ("g1", "g4") for track in TRACKS}
    grouped = made["gene_overlap_by_group"].set_index(["track", "context"])
    assert grouped.loc[("K562", "enhancing"), ["n", "n_overlapping", "percent"]].tolist() == [2, 1, 50.0]
    unplaced = {**made_tables(), "loci": LOCI[["example", "gene_name"]]}
    spec = made_spec(tmp_path, gene_lists=files["gene_lists"])
    only = annotate(spec, unplaced)
    assert list(only) == ["gene_overlap", "gene_overlap_by_group"]
    assert only["gene_overlap"].to_numpy().tolist() == overlap.to_numpy().tolist()


def test_a_broken_file_is_noted_and_the_others_count(tmp_path, files):
    (tmp_path / "broken.bw").write_bytes(b"no bigWig at all")
    lost = {**files, "bigwig": {"DNase": files["bigwig"]["DNase"], "broken": str(tmp_path / "broken.bw")}}
    lost["bed"] = {"absent": str(tmp_path / "absent.bed")}
    lost["gene_lists"] = {**files["gene_lists"], "other": str(tmp_path / "a.bed")}
    with pytest.warns(TangermemeWarning) as caught:
        made = annotated(made_study(tmp_path, **lost))
    assert [str(one.message).split(" ")[0] for one in caught] == [
        "annotation.bigwig.broken", "annotation.bed.absent", "annotation.gene_lists.other"
    ]  # fmt: skip
    failures = made["annotation_failures"]
    assert failures["what"].tolist() == ["bigwig.broken", "bed.absent", "gene_lists.other"]
    assert failures["error"].tolist() == ["ValueError", "FileNotFoundError", "ValueError"]
    assert set(made["cre_signal"]["signal"]) == {"DNase"}
    assert set(made["cre_overlap"]["kind"]) == {"repeats"}
    assert set(made["gene_overlap"]["annotation"]) == {"housekeeping"}


def test_nothing_gives_nothing(tmp_path, files):
    spec = made_spec(tmp_path, **files)
    assert annotate(spec, {"loci": LOCI}) == {}
    empty = {name: pd.DataFrame() for name in ("contexts", "cres", "sufficiency", "kept")}
    assert annotate(spec, {"loci": LOCI, **empty}) == {}
    assert annotate(made_spec(tmp_path), {}) == {}
    with pytest.warns(TangermemeWarning, match="bed is left out: loci must have chrom, tss and strand"):
        made = annotate(made_spec(tmp_path, bed=files["bed"]), {**made_tables(), "loci": LOCI[["example"]]})
    assert list(made) == ["annotation_failures"]


def test_loci_without_a_place_are_left_out(tmp_path):
    tables, loci = made_tables(), LOCI.astype({"tss": object})
    loci.loc[loci["example"] == "g1", ["chrom", "tss"]] = ""
    study = Tabled(tmp_path, made_spec(tmp_path), {**tables, "loci": loci})
    placed = annotated(study)["cres_genome"]
    whole = annotated(made_study(tmp_path))["cres_genome"]
    pd.testing.assert_frame_equal(placed, whole[whole["example"] != "g1"].reset_index(drop=True))


def test_without_a_genome_padding_before_a_chromosome_is_cut_off(tmp_path):
    spec, tables = made_spec(tmp_path), made_tables()
    places = placed_loci(LOCI)
    assert genome_sizes(spec) == SIZES
    known = in_genome(tables["sufficiency"], places, LENGTH, SIZES)
    unknown = in_genome(tables["sufficiency"], places, LENGTH, None)
    assert len(tables["sufficiency"]) - len(known) == 2 * (2 + 2)  # two tiles of g1, two of g6 and two tracks
    assert len(unknown) - len(known) == 2 * 2 and (unknown["start"] >= 0).all()
    (tmp_path / "genome.fa").unlink()
    with pytest.warns(TangermemeWarning, match=r"got .*genome\.fa, which is not there: .* the starts alone"):
        assert genome_sizes(spec) is None
