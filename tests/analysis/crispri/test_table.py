"""Test CRISPRi tables as files and as frames, and refused tables and effects."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tangermeme_creme.analysis.crispri import compare_with_crispri, read_crispri

TRUTH = Path(__file__).parents[4] / "shared" / "truth"

COLUMNS = [
    "chrom", "chromStart", "chromEnd", "name", "EffectSize", "chrTSS", "startTSS", "endTSS", "measuredGeneSymbol",
    "measuredGeneEnsemblId", "Significant", "pValueAdjusted", "PowerAtEffectSize10", "PowerAtEffectSize25",
    "ValidConnection", "CellType", "Reference", "Regulated", "Dataset", "distanceToTSS",
]  # fmt: skip

EFFECTS = pd.DataFrame(
    {"chrom": "chr1", "start": [0, 5000, 10000], "end": [5000, 10000, 15000], "gene_name": "A", "tss": 17500}
    | {"necessity": [0.5, 0.2, 0.1]}
)
PAIRS = pd.DataFrame(
    {"chrom": "chr1", "chromStart": [100, 6000], "chromEnd": [600, 6500], "measuredGeneSymbol": "A"}
    | {"Regulated": [True, False], "CellType": "K562"}
)


def compare(effects: pd.DataFrame = EFFECTS, table=PAIRS, **options):
    return compare_with_crispri(effects, table, **{"effect": "necessity", "n_resamples": 5} | options)


def benchmark_lines(n: int = 40, cell_types: tuple[str, ...] = ("K562", "GM12878"), seed: int = 0) -> list[str]:
    """Simulate lines of a file in the full layout as R writes it, each element in each cell type."""
    rng = np.random.default_rng(seed)
    lines = ["\t".join(COLUMNS)]
    for i in range(n):
        start = 300 * i
        for cell in cell_types:
            size, p = rng.normal(-0.1, 0.3), rng.random()
            regulated = "NA" if i % 11 == 5 else str(bool(size < 0 and p < 0.5)).upper()
            cells = ["chr1", f"{start:.0e}" if start in (3000, 6000) else str(start), str(start + 250)]
            cells += [f"A|chr1:{start}-{start + 250}:.", "NA" if i == 7 else f"{size:.6g}", "chr1", "17500", "17501"]
            cells += ["A", "ENSG00000000001", str(p < 0.5).upper(), f"{p:.4g}", "NA", "0.93"]
            cells += ["overlaps target gene exon" if i % 7 == 3 else "TRUE", cell, "Author et al., 2021", regulated]
            lines.append("\t".join([*cells, "Author2021", str(17500 - start - 125)]))
    return lines


def write(path: Path, lines: list[str]) -> Path:
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_a_file_in_the_full_layout_is_read(tmp_path: Path) -> None:
    table = read_crispri(write(tmp_path / "EPCrisprBenchmark.tsv.gz", benchmark_lines()))
    names = {"chromStart": "start", "chromEnd": "end"}
    assert table.columns.tolist() == [names.get(name, name) for name in COLUMNS]
    assert table["start"].tolist() == (300 * (np.arange(80) // 2)).tolist() and table["start"].dtype == np.int64
    assert table["EffectSize"].isna().sum() == 2 and table["EffectSize"].dtype == np.float64
    assert table["Regulated"].dtype == "boolean" and table["Regulated"].isna().sum() == 8
    assert table["ValidConnection"].value_counts()["overlaps target gene exon"] == 12
    assert table["Significant"].dtype == "boolean" and (table["PowerAtEffectSize25"] > 0.9).all()
    assert table["PowerAtEffectSize10"].isna().all() and table["distanceToTSS"].dtype == np.int64


def test_path_text_gzip_and_frames_give_the_same(tmp_path: Path) -> None:
    lines = benchmark_lines()
    plain, packed = write(tmp_path / "a.tsv", lines), write(tmp_path / "a.tsv.gz", lines)
    options = {"cell_type": "K562", "aggregate": "mean"}
    one = compare(table=plain, **options)
    assert one.summary.loc[0, ["n_invalid", "n_unknown", "n_no_gene", "n_uncovered"]].tolist() == [6, 3, 0, 0]
    assert len(one.pairs) == 31 and one.pairs["effect_size"].isna().sum() == 1
    unpacked = tmp_path / "unpacked.tsv.gz"  # as browsers leave it
    unpacked.write_bytes(plain.read_bytes())
    marked = tmp_path / "marked.tsv"
    marked.write_bytes(b"\xef\xbb\xbf#" + plain.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    frame = pd.read_csv(plain, sep="\t")
    renamed = frame.rename(columns={"chromStart": "start", "chromEnd": "end"}).set_index("name", drop=False)
    shortened = frame.assign(chrom=1, Regulated=frame["Regulated"].map({True: 1, False: 0}))
    for table in (str(packed), unpacked, marked, read_crispri(packed), frame, renamed, shortened):
        other = compare(table=table, **options)
        for first, second in zip(one, other):
            pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_only_the_needed_columns_are_needed_and_nothing_is_modified() -> None:
    effects, table = EFFECTS.astype({"necessity": "float32", "gene_name": "category"}), PAIRS.drop(columns="CellType")
    before = effects.copy(), table.copy()
    found = compare(effects, table)
    pd.testing.assert_frame_equal(effects, before[0])
    pd.testing.assert_frame_equal(table, before[1])
    assert found.pairs["score"].tolist() == [0.5, np.float32(0.2)]
    assert found.pairs["distance"].tolist() == [17150, 11250]
    extra = PAIRS.assign(gene_name="Z", score=9.0, tss=1, plain="x", distance=0, effect_size=1.0)
    pd.testing.assert_frame_equal(compare(effects, extra).pairs, found.pairs)


@pytest.mark.parametrize(
    ("number", "column", "value", "message"),
    [
        (3, "chromStart", "1.5", r"chromStart must be a whole number from 0; got '1.5' in line 3 of .*a.tsv"),
        (4, "chromEnd", "NA", r"chromEnd must be a whole number from 0; got 'NA' in line 4 of .*a.tsv"),
        (5, "chromStart", "-4", r"chromStart must be .* got '-4' in line 5"),
        (5, "chromEnd", "100", r"spans must end after they start; got \[300, 100\) in line 5 of .*a.tsv"),
        (6, "chrom", "", r"chrom must not be missing; got '' in line 6 of .*a.tsv"),
        (7, "Regulated", "yes", r"Regulated must be TRUE, FALSE or NA; got 'yes' in line 7 of .*a.tsv"),
        (8, "EffectSize", "-12%", r"EffectSize must be a number or NA; got '-12%' in line 8 of .*a.tsv"),
        (9, "Dataset", "a\tb", r"line of .*a.tsv must have the 20 columns of its header; got 21 in line 9"),
        (81, "Dataset", None, r"20 columns of its header; got 18 in line 81. Is the file cut off\?"),
    ],
)
def test_errors_of_a_file_name_line_and_column(tmp_path: Path, number, column, value, message) -> None:
    lines = benchmark_lines()
    cells = lines[number - 1].split("\t")
    if value is None:
        cells = cells[: COLUMNS.index(column)]
    else:
        cells[COLUMNS.index(column)] = value
    lines[number - 1] = "\t".join(cells)
    with pytest.raises(ValueError, match=message):
        read_crispri(write(tmp_path / "a.tsv", lines))


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.tsv.gz", benchmark_lines())
    whole = path.read_bytes()
    for part in (whole[: len(whole) // 2], whole[:-4], whole[:40] + bytes(20) + whole[60:]):
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"must be whole; got .*b.tsv.gz, .*: copy or download it again"):
            read_crispri(path)
    path.write_text("<html>Not found</html>\n")
    with pytest.raises(
        ValueError, match=r"b.tsv.gz must have columns 'chrom', 'chromStart', .*'Regulated'; got <html>"
    ):
        read_crispri(path)
    path.write_text("chrom\tchromStart\tend\tmeasuredGeneSymbol\nchr1\t1\t5\tA\n")
    with pytest.raises(ValueError, match=r"must have column 'Regulated'; got chrom, chromStart, end"):
        read_crispri(path)
    path.write_text("chrom\tchromStart\tstart\n")
    with pytest.raises(ValueError, match=r"each column once; got 'chromStart' and 'start'"):
        read_crispri(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"b.tsv.gz must have a header; got an empty file"):
        read_crispri(path)
    path.write_bytes(b"chrom\t\xff\xfe\n")
    with pytest.raises(ValueError, match=r"b.tsv.gz must be tab-separated text; got .*0xff"):
        read_crispri(path)
    with pytest.raises(FileNotFoundError, match=r"none.tsv"):
        read_crispri(tmp_path / "none.tsv")
    assert len(read_crispri(write(tmp_path / "empty.tsv", benchmark_lines(0)))) == 0


def test_errors_of_frames_name_the_row() -> None:
    table = PAIRS.set_axis(["x", "y"])
    with pytest.raises(ValueError, match=r"Regulated must be .* got 'maybe' in row y of table"):
        compare(table=table.assign(Regulated=["TRUE", "maybe"]))
    with pytest.raises(ValueError, match=r"chromEnd must be .* got nan in row x of table"):
        compare(table=table.assign(chromEnd=[np.nan, 7000]))
    with pytest.raises(ValueError, match=r"\[6000, 5999\) in row y of table"):
        compare(table=table.assign(chromEnd=[600, 5999]))
    with pytest.raises(ValueError, match=r"table must have columns 'chromEnd', 'measuredGeneSymbol'; got chrom, chr"):
        compare(table=table.drop(columns=["chromEnd", "measuredGeneSymbol"]))


def test_elements_of_no_length_are_one_base(tmp_path: Path) -> None:
    lines = benchmark_lines(3, ("K562",))
    lines[2] = lines[2].replace("\t300\t550\t", "\t300\t300\t")
    table = read_crispri(write(tmp_path / "a.tsv", lines))
    assert table[["start", "end"]].to_numpy().tolist() == [[0, 250], [300, 301], [600, 850]]
    pairs = compare(table=PAIRS.assign(chromEnd=[100, 6500])).pairs
    assert pairs[["start", "end", "distance", "score"]].to_numpy().tolist()[0] == [100, 101, 17400, 0.5]


def test_rows_of_other_cell_types_are_not_looked_at(tmp_path: Path) -> None:
    odd = pd.concat([PAIRS.assign(CellType="GM12878", chromStart="?", Regulated="maybe"), PAIRS.astype(object)])
    assert len(compare(table=odd, cell_type="K562").pairs) == 2
    odd.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    assert len(compare(table=tmp_path / "a.tsv", cell_type="K562").pairs) == 2
    with pytest.raises(ValueError, match=r"chromStart must be a whole number from 0; got '\?' in line 2 of .*a.tsv"):
        compare(table=tmp_path / "a.tsv", cell_type="GM12878")


def test_long_cells_are_cut_in_errors(tmp_path: Path) -> None:
    lines = benchmark_lines(2, ("K562",))
    lines[2] = lines[2].replace("\t300\t", "\t" + "7" * 70_000 + "\t", 1)
    with pytest.raises(ValueError, match=r"got '7{120}'\.\.\. \(70000 characters\) in line 3 of .*a\.tsv"):
        read_crispri(write(tmp_path / "a.tsv", lines))


@pytest.mark.skipif(not TRUTH.is_dir(), reason="needs the measured pairs of ../shared/truth")
@pytest.mark.parametrize(
    ("name", "n", "n_regulated"),
    [("epcrispr_training_k562.tsv.gz", 10_356, 471), ("epcrispr_fulco2019_k562.tsv.gz", None, None)],
)
def test_tables_of_the_benchmark_are_read(name: str, n: int | None, n_regulated: int | None) -> None:
    table = read_crispri(TRUTH / name)
    assert (table["end"] > table["start"]).all()
    if n is not None:
        assert (len(table), int(table["Regulated"].sum())) == (n, n_regulated)


def test_a_gene_at_two_tss_and_a_tile_twice_are_refused() -> None:
    two = pd.concat([EFFECTS, EFFECTS.assign(tss=19000)], ignore_index=True)
    with pytest.raises(ValueError, match=r"got A at chr1:17500 in row 0 of effects and at chr1:19000 in row 3 of eff"):
        compare(two)
    with pytest.raises(ValueError, match=r"at chr1:17500 in row 0 of effects and at chr2:17500 in row 3 .*one TSS"):
        compare(pd.concat([EFFECTS, EFFECTS.assign(chrom="chr2")], ignore_index=True))
    tracks = pd.concat([EFFECTS.assign(track=0), EFFECTS[1:].assign(track=1, chrom="1")], ignore_index=True)
    with pytest.raises(ValueError, match=r"got A \[5000, 10000\) in row 1 of effects and in row 3 of .*one track"):
        compare(tracks)
    assert len(compare(tracks[tracks["track"] == 0]).pairs) == 2


def test_a_pair_twice_is_refused_and_filters_help(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", benchmark_lines())
    message = r"got chr1:0-250 with A in line 2 of .*a.tsv and in line 3 of .*a.tsv: filter by CellType .* or Dataset"
    with pytest.raises(ValueError, match=message):
        compare(table=path)
    assert len(compare(table=path, cell_type="GM12878").pairs) == 31
    with pytest.raises(ValueError, match=r"cell_type must be one of 'GM12878', 'K562'; got 'HepG2'"):
        compare(table=path, cell_type="HepG2")
    with pytest.raises(ValueError, match=r"table must have column 'CellType'; got chrom"):
        compare(table=PAIRS.drop(columns="CellType"), cell_type="K562")
    # a pair may occur twice in rows that do not count, and for genes without effects
    again = pd.concat([PAIRS, PAIRS.assign(Regulated=None), PAIRS.assign(measuredGeneSymbol="B")])
    again = pd.concat([again, PAIRS.assign(measuredGeneSymbol="B")], ignore_index=True)
    assert compare(table=again).summary.loc[0, ["n", "n_unknown", "n_no_gene"]].tolist() == [2, 2, 4]


def test_nothing_left_says_why() -> None:
    with pytest.raises(ValueError, match=r"gene in common; got 'A' in effects and 'ENSG0', 'ENSG1' in table"):
        compare(table=PAIRS.assign(measuredGeneSymbol=["ENSG0", "ENSG1"]))
    with pytest.raises(ValueError, match=r"chromosome in common .* got 'chr1' in effects and 'NC_000001.11' in table"):
        compare(table=PAIRS.assign(chrom="NC_000001.11"))
    with pytest.raises(ValueError, match=r"got none for 2 pairs of genes in effects, the first in row 0 of table"):
        compare(table=PAIRS.assign(chromStart=[90000, 91000], chromEnd=[90500, 91500]))
    with pytest.raises(ValueError, match=r"got none for 2 pairs"):
        compare(EFFECTS.assign(necessity=np.nan))
    with pytest.raises(ValueError, match=r"got none in 2 rows: 0 invalid, 2 unknown"):
        compare(table=PAIRS.assign(Regulated=None))
    with pytest.raises(ValueError, match=r"got none in 2 rows: 2 invalid, 0 unknown"):
        compare(table=PAIRS.assign(ValidConnection="overlaps potential promoter"))
    with pytest.raises(ValueError, match=r"got none in 0 rows"):
        compare(table=PAIRS[:0])
    with pytest.raises(ValueError, match=r"effects must have a tile; got no row"):
        compare(EFFECTS[:0])
    elsewhere = pd.concat([PAIRS.assign(chrom="chr2"), PAIRS.assign(measuredGeneSymbol="B")])
    with pytest.raises(ValueError, match=r"got none for 2 pairs"):
        compare(table=elsewhere, missing="zero")


def test_effects_are_checked() -> None:
    with pytest.raises(ValueError, match=r"effects must have columns 'tss', 'over_wt'; got chrom, start"):
        compare(EFFECTS.drop(columns="tss"), effect="over_wt")
    with pytest.raises(ValueError, match=r"necessity must be finite or NaN; got inf in row 1 of effects"):
        compare(EFFECTS.assign(necessity=[0, np.inf, 1]))
    with pytest.raises(ValueError, match=r"necessity must be finite or NaN; got high in row 2 of effects"):
        compare(EFFECTS.assign(necessity=[0, 1, "high"]))
    with pytest.raises(ValueError, match=r"gene_name must not be missing; got None in row 1 of effects"):
        compare(EFFECTS.assign(gene_name=pd.Series(["A", None, "A"], dtype=object)))
    with pytest.raises(ValueError, match=r"tss must be a whole number from 0; got -1 in row 0"):
        compare(EFFECTS.assign(tss=-1))
    with pytest.raises(ValueError, match=r"\[10000, 9000\) in row 2 of effects"):
        compare(EFFECTS.assign(end=[5000, 10000, 9000]))
    off_the_end = EFFECTS.assign(start=[-100, 5000, 10000])  # a window that runs off its chromosome
    assert len(compare(off_the_end).pairs) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aggregate": "sum"}, r"aggregate must be 'max', 'mean' or 'extreme'; got 'sum'"),
        ({"missing": "nan"}, r"missing must be 'drop' or 'zero'; got 'nan'"),
        ({"confidence": 95}, r"confidence must be between 0 and 1; got 95"),
        ({"n_resamples": 0}, r"n_resamples must be at least 1; got 0"),
        ({"random_state": None}, r"random_state must be an integer; got None"),
        ({"random_state": -1}, r"random_state must be at least 0; got -1"),
        ({"distance_bins": (0, 10, 10)}, r"increasing edges in bp, from 0; got 10.0 at index 2"),
        ({"distance_bins": (-5, 10)}, r"got -5.0 at index 0"),
        ({"distance_bins": (0, np.nan)}, r"got nan at index 1"),
        ({"distance_bins": (0, np.inf, np.inf)}, r"got inf at index 2"),
        ({"distance_bins": (0,)}, r"at least two increasing edges in bp, from 0; got \(0,\)"),
        ({"distance_bins": ("near", "far")}, r"increasing edges in bp, from 0; got \('near', 'far'\)"),
    ],
)
def test_options_out_of_their_range_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        compare(**options)
