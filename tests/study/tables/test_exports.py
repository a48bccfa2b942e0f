"""Files that other tools read of a study: which there are, and what lies where."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figwig import BigWigReader
from study_tables import LENGTH, LOCI, SIZES, TRACKS, Tabled, made_spec, made_study, made_tables
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis.export import write_cres
from tangermeme_creme.sequence.genome import tiles_to_genome
from tangermeme_creme.study.spec import StudyError
from tangermeme_creme.study.store import file_name
from tangermeme_creme.study.tables import FORMATS, export_study
from tangermeme_creme.support import collected

HASHED = file_name(["../../x"])


def lines(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines() if not line.startswith(("track", "#"))]


def genomic(name: str) -> pd.DataFrame:
    places = LOCI.set_index("example").drop(columns="seed")
    with collected():
        return tiles_to_genome(made_tables()[name], places, LENGTH, sizes=SIZES)


def test_all_files_lie_in_the_folder(tmp_path):
    study = made_study(tmp_path)
    written = export_study(study, formats=FORMATS)
    assert len(set(written)) == len(written)
    assert {path.resolve().parent for path in written} == {study.folder / "export"}
    assert sorted(written) == sorted((study.folder / "export").iterdir())
    tracked = [path.name for path in written if path.suffix != ".csv"]
    per_track = [
        "cres.{}.bed", "kept.{}.bed", "over_control.{}.bedgraph", "over_wt.{}.bedgraph", "necessity.{}.bedgraph",
        "over_control.{}.bw", "over_wt.{}.bw", "necessity.{}.bw", "cre_gene.{}.interact", "cre_gene.{}.bedpe",
        "tile_pairs.{}.interact", "tile_pairs.{}.bedpe",
    ]  # fmt: skip
    assert sorted(tracked) == sorted(name.format(label) for label in ("K562", HASHED) for name in per_track)
    assert not list(tmp_path.rglob("*.tmp"))


def test_formats_are_checked_before_anything_is_written(tmp_path):
    study = made_study(tmp_path)
    with pytest.raises(StudyError, match=r"formats must be of csv, bed, bedgraph, bigwig, interact; got 'gff'\."):
        export_study(study, formats=["csv", "gff"])
    (tmp_path / "genome.fa").unlink()
    refused = pytest.raises(StudyError, match=r"bigwig must have the lengths .* got .*genome\.fa, which is not there")
    with pytest.warns(TangermemeWarning, match="the starts alone"), refused:
        export_study(study, formats=["csv", "bigwig"])
    assert not study.folder.exists()
    assert {path.suffix for path in export_study(study, formats="csv")} == {".csv"}


def test_csv_has_every_table_as_it_is(tmp_path):
    study = made_study(tmp_path)
    written = export_study(study, tmp_path / "deep" / "csv", ["csv"])
    assert [path.stem for path in written] == study.tables
    for path in written:
        read = pd.read_csv(path)  # CSV cannot tell an empty text from a missing one
        pd.testing.assert_frame_equal(read, study.table(path.stem).replace("", np.nan), check_dtype=False, rtol=1e-12)


def test_csv_needs_no_place(tmp_path):
    study = made_study(tmp_path)
    study.given["loci"] = study.given["loci"].astype({"tss": str}).replace({"tss": {"150": "unknown"}})
    written = export_study(study, formats=["csv"])
    assert [path.stem for path in written] == study.tables
    with pytest.raises(StudyError, match=r"places of loci must be whole; got .*unknown"):
        export_study(study, tmp_path / "out", formats=["csv", "bed"])
    assert not (tmp_path / "out").exists()


def test_cres_are_those_that_the_writer_gives_of_their_places(tmp_path):
    study = made_study(tmp_path)
    export_study(study, tmp_path / "out", ["bed"])
    cres = genomic("cres")
    named = cres.assign(gene_name=cres["gene_name"].where(cres["gene_name"] != "", cres["gene_id"]))
    for track, label in zip(TRACKS, ("K562", HASHED)):
        some = named[named["track"] == track]
        direct = write_cres(some, tmp_path / "direct.bed", effect="effect", name=f"CREs, {track}")
        assert (tmp_path / "out" / f"cres.{label}.bed").read_bytes() == direct.read_bytes()
    first = lines(tmp_path / "out" / "cres.K562.bed")[0]
    assert first[:6] == ["chr1", "0", "100", "AAA:enhancer", "800", "+"]  # tile 2 of g1, from -200
    ensg = [line for line in lines(tmp_path / "out" / f"cres.{HASHED}.bed") if line[0] == "chr2"]
    assert [line[3] for line in ensg] == ["ENSG5:enhancer"]
    kept = lines(tmp_path / "out" / "kept.K562.bed")
    assert len(kept) == (made_tables()["kept"]["track"] == "K562").sum()
    assert ["chr1", "10", "20", "g1", "1000", "+"] in kept


@pytest.mark.parametrize(
    ("table", "value"), [("sufficiency", "over_control"), ("sufficiency", "over_wt"), ("necessity", "necessity")]
)
def test_effects_along_the_genome_are_means_over_loci(tmp_path, table, value):
    study = made_study(tmp_path)
    export_study(study, tmp_path / "out", ["bedgraph", "bigwig"])
    effects = genomic(table)
    for track, label in zip(TRACKS, ("K562", HASHED)):
        sums = {chrom: np.zeros(size) for chrom, size in SIZES.items()}
        counts = {chrom: np.zeros(size) for chrom, size in SIZES.items()}
        for row in effects[(effects["track"] == track) & effects[value].notna()].itertuples():
            sums[row.chrom][row.start : row.end] += getattr(row, value)
            counts[row.chrom][row.start : row.end] += 1
        assert max(counts["chr1"]) == 2  # the windows of g2 and g3
        found = {chrom: np.full(size, np.nan) for chrom, size in SIZES.items()}
        for chrom, start, end, number in lines(tmp_path / "out" / f"{value}.{label}.bedgraph"):
            found[chrom][int(start) : int(end)] = float(number)
        reader = BigWigReader(tmp_path / "out" / f"{value}.{label}.bw")
        for chrom, size in SIZES.items():
            with np.errstate(invalid="ignore"):
                expected = sums[chrom] / counts[chrom]
            np.testing.assert_allclose(found[chrom], expected, rtol=1e-12)
            np.testing.assert_allclose(reader.read(chrom, [0], size, missing=np.nan)[0], expected, rtol=1e-6)


def test_links_go_from_cres_to_genes_and_between_tiles_that_interact(tmp_path):
    study = made_study(tmp_path)
    export_study(study, tmp_path / "out", ["interact"])
    links = lines(tmp_path / "out" / "cre_gene.K562.bedpe")
    assert len(links) == (made_tables()["cres"]["track"] == "K562").sum()
    assert links[0] == ["chr1", "0", "100", "chr1", "150", "151", "enhancer/AAA", "800", ".", "+", "0.8"]
    pairs = lines(tmp_path / "out" / "tile_pairs.K562.bedpe")
    given = made_tables()["interactions"]
    some = given[(given["track"] == "K562") & given["interaction"].isin(["positive", "negative"])]
    lost = ((some["example"] == "g1") & (some["tile_1"] == 1)) | ((some["example"] == "g6") & (some["tile_1"] == 1))
    assert len(pairs) == (~lost).sum()  # tile 1 of both lies in padding
    assert ["chr2", "250", "350", "chr2", "350", "450", "DDD/DDD", "500", "+", "+", "0.5"] in pairs
    for kind in ("cre_gene", "tile_pairs"):
        assert len(lines(tmp_path / "out" / f"{kind}.K562.interact")) == len(
            lines(tmp_path / "out" / f"{kind}.K562.bedpe")
        )


def test_two_exports_are_the_same_bytes_whatever_the_order_of_rows(tmp_path):
    study = made_study(tmp_path)
    turned = Tabled(study.folder, study.spec, {name: table.iloc[::-1] for name, table in study.given.items()})
    formats = [name for name in FORMATS if name != "csv"]
    one, other = (export_study(some, tmp_path / str(i), formats) for i, some in enumerate((study, turned)))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_without_places_there_is_csv_alone(tmp_path):
    tables = {**made_tables(), "loci": LOCI[["example", "seed"]]}
    study = Tabled(tmp_path / "study", made_spec(tmp_path), tables)
    assert {path.suffix for path in export_study(study, formats=FORMATS)} == {".csv"}
    assert export_study(Tabled(tmp_path / "empty", made_spec(tmp_path), {}), formats=FORMATS) == []


def test_without_the_genome_or_names_of_genes_files_are_still_written(tmp_path):
    tables = {**made_tables(), "loci": LOCI[["example", "chrom", "tss", "strand"]]}
    study = Tabled(tmp_path / "study", made_spec(tmp_path), tables)
    (tmp_path / "genome.fa").unlink()
    with pytest.warns(TangermemeWarning, match=r"got .*genome\.fa, which is not there: .* the starts alone"):
        export_study(study, tmp_path / "out")
    assert lines(tmp_path / "out" / "cre_gene.K562.bedpe")[0][6] == "enhancer/g1"
    starts = [int(line[1]) for line in lines(tmp_path / "out" / "over_wt.K562.bedgraph")]
    assert min(starts) == 0


def test_a_table_or_a_track_without_rows_has_no_file(tmp_path):
    tables = made_tables()
    tables["cres"] = tables["cres"][tables["cres"]["track"] == "K562"]
    tables["interactions"] = tables["interactions"].assign(interaction="none")
    tables["necessity"] = tables["necessity"].assign(necessity=np.nan)
    del tables["kept"]
    study = Tabled(tmp_path / "study", made_spec(tmp_path), tables)
    written = {path.name for path in export_study(study, formats=["bed", "bigwig", "interact"])}
    assert written == {
        "cres.K562.bed", "over_control.K562.bw", "over_wt.K562.bw", f"over_control.{HASHED}.bw", f"over_wt.{HASHED}.bw",
        "cre_gene.K562.interact", "cre_gene.K562.bedpe",
    }  # fmt: skip
