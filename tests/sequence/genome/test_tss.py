"""Test TSSs from GTF files of GENCODE, Ensembl and NCBI, from BED files and from tables, and their errors."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from tangermeme.utils import TangermemeWarning

import tangermeme_creme.sequence.genome._gtf as gtf_module
from tangermeme_creme.sequence.genome import read_tss

COLUMNS = ["chrom", "tss", "strand", "gene_name", "gene_id", "transcript_id"]

GENCODE = """##description: evidence-based annotation of the human genome (GRCh38)
chr1\tHAVANA\tgene\t65419\t71585\t.\t+\t.\tgene_id "ENSG1.7"; gene_type "protein_coding"; gene_name "OR4F5"; level 2;
chr1\tHAVANA\ttranscript\t65419\t71585\t.\t+\t.\tgene_id "ENSG1.7"; transcript_id "ENST1.2"; gene_type "protein_coding"; gene_name "OR4F5"; transcript_type "protein_coding"; level 2; tag "basic"; tag "a;b";
chr1\ttranscript\texon\t65419\t65433\t.\t+\t.\tgene_id "ENSG1.7"; transcript_id "ENST1.2";
chr1\tHAVANA\ttranscript\t65419\t70000\t.\t+\t.\tgene_id "ENSG1.7"; transcript_id "ENST3.1"; gene_type "protein_coding"; gene_name "OR4F5";
chr1\tHAVANA\ttranscript\t134901\t139379\t.\t-\t.\tgene_id "ENSG2.2"; transcript_id "ENST2.2"; gene_type "lncRNA"; gene_name "AL1";
chr2\tHAVANA\ttranscript\t41627\t46588\t.\t-\t.\tgene_id "ENSG3.2"; transcript_id "ENST4.3"; gene_type "protein_coding"; gene_name "FAM110C";
"""  # noqa: E501

ENSEMBL = """#!genome-build GRCh38.p14
1\tensembl_havana\tgene\t65419\t71585\t.\t+\t.\tgene_id "ENSG1"; gene_version "7"; gene_name "OR4F5"; gene_source "ensembl_havana"; gene_biotype "protein_coding"
1\thavana\ttranscript\t65419\t71585\t.\t+\t.\tgene_id "ENSG1"; transcript_id "ENST1"; gene_name "OR4F5"; gene_biotype "protein_coding"
1\tensembl\ttranscript\t100\t900\t.\t-\t.\tgene_id "ENSG9"; transcript_id "ENST9"; gene_biotype "protein_coding"; transcript_biotype "retained_intron";
"""  # noqa: E501

NCBI = """1\tBestRefSeq\tgene\t100\t900\t.\t+\t.\tgene_id "A"; transcript_id ""; gene "A"; gene_biotype "protein_coding"
1\tBestRefSeq\ttranscript\t100\t900\t.\t+\t.\tgene_id "A"; transcript_id "NM_1"; gene "A"; transcript_biotype "mRNA";
1\tBestRefSeq\tgene\t100\t900\t.\t-\t.\tgene_id "B"; transcript_id ""; gene "B"; gene_biotype "lncRNA";
1\tBestRefSeq\ttranscript\t100\t900\t.\t-\t.\tgene_id "B"; transcript_id "NR_1"; gene "B"; transcript_biotype "lncRNA";
"""


def written(tmp_path: Path, text: str, name: str = "genes.gtf") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["genes.gtf", "genes.gtf.gz", "genes"])
def test_gencode_gives_one_row_a_distinct_tss_of_protein_coding_genes(name: str, tmp_path: Path) -> None:
    table = read_tss(written(tmp_path, GENCODE, name))
    assert table.to_numpy().tolist() == [
        ["chr1", 65_418, "+", "OR4F5", "ENSG1.7", "ENST1.2"],  # GTF start - 1; the second transcript starts there too
        ["chr2", 46_587, "-", "FAM110C", "ENSG3.2", "ENST4.3"],  # GTF end - 1
    ]
    assert list(table.columns) == COLUMNS and table["tss"].dtype == np.int64


def test_gzip_is_told_by_its_first_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "genes.gtf"
    path.write_bytes(gzip.compress(GENCODE.encode()))
    assert len(read_tss(path)) == 2


def test_windows_line_ends_and_a_last_line_without_one_read_the_same(tmp_path: Path) -> None:
    plain = read_tss(written(tmp_path, GENCODE))
    pd.testing.assert_frame_equal(read_tss(written(tmp_path, GENCODE.replace("\n", "\r\n"), "dos.gtf")), plain)
    pd.testing.assert_frame_equal(read_tss(written(tmp_path, GENCODE.rstrip("\n"), "open.gtf")), plain)


@pytest.mark.parametrize("block", [1, 7, 64, 500])
def test_the_size_of_the_blocks_that_are_read_changes_nothing(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, GENCODE)
    whole = read_tss(path, gene_type=None)
    monkeypatch.setattr(gtf_module, "_READ_BYTES", block)
    pd.testing.assert_frame_equal(read_tss(path, gene_type=None), whole)


def test_ensembl_has_other_spellings_and_genes_without_a_name(tmp_path: Path) -> None:
    table = read_tss(written(tmp_path, ENSEMBL))
    assert table.to_numpy().tolist() == [
        ["1", 65_418, "+", "OR4F5", "ENSG1", "ENST1"],
        ["1", 899, "-", "ENSG9", "ENSG9", "ENST9"],
    ]


def test_ncbi_has_the_type_on_the_line_of_the_gene_alone(tmp_path: Path) -> None:
    table = read_tss(written(tmp_path, NCBI))
    assert table.to_numpy().tolist() == [["1", 99, "+", "A", "A", "NM_1"]]


def test_types_features_and_chromosomes_are_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, GENCODE)
    assert read_tss(path, gene_type="lncRNA")["gene_name"].tolist() == ["AL1"]
    assert read_tss(path, gene_type=["lncRNA", "protein_coding"])["tss"].tolist() == [65_418, 139_378, 46_587]
    assert len(read_tss(path, gene_type=None)) == 3
    assert read_tss(path, feature="gene")[["tss", "transcript_id"]].to_numpy().tolist() == [[65_418, ""]]
    assert read_tss(path, chroms=["2"])["gene_name"].tolist() == ["FAM110C"]
    assert read_tss(path, chroms="chr2")["gene_name"].tolist() == ["FAM110C"]
    with pytest.raises(ValueError, match="chroms must be of those with a TSS, chr1, chr2; got 'chrX'"):
        read_tss(path, chroms=["chr1", "chrX"])


def test_genes_that_share_a_tss_are_counted_and_the_first_keeps_it(tmp_path: Path) -> None:
    line = 'chr1\tX\ttranscript\t101\t900\t.\t+\t.\tgene_id "{0}"; gene_name "{0}"; gene_type "protein_coding";\n'
    path = written(tmp_path, line.format("A") + line.format("A-B") + line.format("A"))
    with pytest.warns(TangermemeWarning, match=r"1 TSSs are shared .*; that at chr1:100\+ is also that of A-B"):
        assert read_tss(path)["gene_name"].tolist() == ["A"]


rows = st.tuples(st.sampled_from(["chr1", "2"]), st.integers(1, 50), st.integers(0, 9), st.sampled_from("+-"))


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(rows, min_size=1, max_size=30))
def test_any_gtf_gives_the_distinct_first_bases_in_order(
    rows: list[tuple[str, int, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    attributes = 'gene_id "G"; transcript_id "T"; gene_name "N"; gene_type "protein_coding";'
    lines = [f"{c}\tX\ttranscript\t{s}\t{s + w}\t.\t{d}\t.\t{attributes}" for c, s, w, d in rows]
    table = read_tss(written(tmp_path_factory.mktemp("gtf"), "\n".join(lines)))
    expected = dict.fromkeys((c, s - 1 if d == "+" else s + w - 1, d) for c, s, w, d in rows)
    assert list(table[["chrom", "tss", "strand"]].itertuples(index=False, name=None)) == list(expected)


def test_a_bed_gives_the_first_base_on_either_strand(tmp_path: Path) -> None:
    text = "track name=x\n#c\nchr1\t100\t200\tA\t0\t+\nchr1\t100\t200\tB\t0\t-\nchr1\t100\t150\tA\t0\t+\n"
    for name in ("genes.bed", "genes.bed.gz"):
        table = read_tss(written(tmp_path, text, name))
        assert table.iloc[:, :4].to_numpy().tolist() == [["chr1", 100, "+", "A"], ["chr1", 199, "-", "B"]]
        assert list(table.columns) == COLUMNS


@pytest.mark.parametrize("name", ["genes.tsv", "genes.csv.gz", "genes.txt"])
def test_a_table_is_read_from_a_file_or_memory_with_its_other_columns(name: str, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"gene": ["A", "B", "A"], "chrom": ["1", "2", "1"], "tss": [5, 6, 5], "strand": ["+", "-", "+"]}
    )
    before = table.copy()
    found = read_tss(table)
    assert found.to_numpy().tolist() == [["1", 5, "+", "A", "A", "", "A"], ["2", 6, "-", "B", "B", "", "B"]]
    pd.testing.assert_frame_equal(table, before)
    path = written(tmp_path, table.to_csv(sep="," if "csv" in name else "\t", index=False), name)
    pd.testing.assert_frame_equal(read_tss(path), found)


def test_names_of_any_kind_stand_in_for_each_other() -> None:
    table = pd.DataFrame({"chrom": ["1"] * 4, "tss": [1, 2, 3, 4], "strand": "+"})
    table["gene_id"] = pd.Categorical(["E1", "E2", None, None])
    table["gene"] = ["A", None, "C", "."]
    table["transcript_id"] = pd.array([7, None, 8, 9], dtype="Int64")
    found = read_tss(table)
    assert found["gene_name"].tolist() == ["A", "E2", "C", ""]
    assert found["gene_id"].tolist() == ["E1", "E2", "C", ""]
    assert found["transcript_id"].tolist() == ["7", "", "8", "9"]


def test_a_bed_without_names_has_none(tmp_path: Path) -> None:
    table = read_tss(written(tmp_path, "\ufeffchr1\t5\t6\t.\t0\t+\nchr1\t8\t9\t.\t0\t+\n", "tss.bed"))
    assert table[["chrom", "tss", "gene_id"]].to_numpy().tolist() == [["chr1", 5, ""], ["chr1", 8, ""]]


@pytest.mark.parametrize(("name", "text"), [("a.bed", "# nothing\n"), ("a.tsv", "chrom\ttss\tstrand\n")])
def test_a_file_without_a_tss_is_named(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"at least one TSS; got none in .*{name}"):
        read_tss(written(tmp_path, text, name))


GOOD = GENCODE.splitlines()[2]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (
            GOOD.replace("\t71585", "\tend"),
            r"whole numbers, 1 <= start <= end; got 'chr1.*end.*' in line 8 of .*genes\.gtf",
        ),
        (GOOD.replace("65419\t71585", "71585\t65419"), "start <= end; got .* in line 8"),
        (GOOD.replace("65419", "0"), "1 <= start <= end; got .* in line 8"),
        (GOOD.replace("\t+\t", "\t.\t"), r"strand of a TSS must be '\+' or '-'; got .* in line 8"),
        (GOOD[: GOOD.index("OR4F5") + 2], "quotes of a GTF line must be closed .*cut short.*; got .* in line 8"),
        ("chr1\tX\ttranscript\t1\t2", "must have nine columns, separated by tabs; got .* in line 8"),
        ("chr1\tX\ttranscript\t1\t2\t.\t+\t.\tID=tx1;Parent=G1", "GFF3 is not read.*; got .* in line 8"),
    ],
)
@pytest.mark.parametrize("name", ["genes.gtf", "genes.gtf.gz"])
def test_a_broken_line_is_named(line: str, match: str, name: str, tmp_path: Path) -> None:
    path = written(tmp_path, GENCODE + line + "\n", name)
    with pytest.raises(ValueError, match=match):
        read_tss(path, gene_type=None)


def test_a_feature_or_type_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, GENCODE)
    with pytest.raises(ValueError, match=r"feature 'mRNA'; got .*genes\.gtf with transcript, gene, exon\."):
        read_tss(path, feature="mRNA")
    with pytest.raises(ValueError, match=r"type coding .*genes\.gtf .* types protein_coding \(3\), lncRNA \(1\)"):
        read_tss(path, gene_type="coding")
    with pytest.raises(ValueError, match=r"feature 'transcript'; got .*x\.gtf with no line of nine columns"):
        read_tss(written(tmp_path, "chr1 X transcript 1 2 . + . gene_id\n", "x.gtf"))
    with pytest.raises(ValueError, match="of types none"):
        read_tss(written(tmp_path, GENCODE.replace("gene_type", "kind"), "y.gtf"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_tss(tmp_path / "nowhere.gtf")


@pytest.mark.parametrize("name", ["genes.gtf.gz", "genes.bed.gz", "genes.tsv.gz"])
def test_a_gzipped_file_that_is_cut_short_or_damaged_is_named(name: str, tmp_path: Path) -> None:
    text = {"gtf": GENCODE, "bed": "chr1\t1\t2\ta\t0\t+\n", "tsv": "chrom\ttss\tstrand\nchr1\t5\t+\n"}[
        name.split(".")[1]
    ]
    rng = np.random.default_rng(0)  # noise behind it, so that there is something to cut off
    whole = gzip.compress((text * 50 + "#" + rng.bytes(20_000).hex() + "\n").encode())
    path = tmp_path / name
    for broken in (whole[: len(whole) // 2], whole[:1000] + b"\0" * 300 + whole[1300:]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=rf"{re.escape(name)}.*missing or damaged.*download it again"):
            read_tss(path)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("chr1\t200\t100\tA\t0\t+", r"0 <= start < end in bp; got 'chr1.*' in line 2 of .*genes\.bed"),
        ("100\tchr1\t200\tA\t0\t+", r"0 <= start < end in bp; got '100.*' in line 2"),
        ("chr1\t100\t200", "must be chrom, start, end, name, score, strand.*; got .* in line 2"),
        ("chr1\t100\t200\tA\t+\t0", r"strand of a TSS must be '\+' or '-'; got '0' in record 2"),
    ],
)
def test_a_bad_line_of_a_bed_is_named(line: str, match: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=match):
        read_tss(written(tmp_path, f"chr1\t1\t2\tA\t0\t+\n{line}\n", "genes.bed"))


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("tss", -1, "tss of table must be a whole number of bp, 0 or more; got -1 at row 1"),
        ("tss", 1.5, "got 1.5 at row 1"),
        ("tss", np.nan, "got nan at row 1"),
        ("tss", np.inf, "got inf at row 1"),
        ("tss", 10**20, "got 100000000000000000000 at row 1"),
        ("strand", "*", r"strand of table must be '\+' or '-'; got '\*' at row 1"),
        ("chrom", None, "chrom of table must be a name; got (None|nan) at row 1"),
    ],
)
def test_a_bad_row_of_a_table_is_named(column: str, value: object, match: str) -> None:
    table = pd.DataFrame({"chrom": ["1", "2"], "tss": [5, 6], "strand": ["+", "-"]}).astype(object)
    table.loc[1, column] = value
    with pytest.raises(ValueError, match=match):
        read_tss(table)
    with pytest.raises(ValueError, match=f"table must have column '{column}'; got"):
        read_tss(table.drop(columns=column))


def test_a_table_without_rows_or_with_ragged_ones_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a table must have a header.*; got .*a\.tsv"):
        read_tss(written(tmp_path, "", "a.tsv"))
    with pytest.raises(ValueError, match=r"as many columns in each row; got .*b\.tsv.*line 3"):
        read_tss(written(tmp_path, "chrom\ttss\tstrand\nchr1\t5\t+\nchr1\t5\t+\t6\t7\n", "b.tsv"))
    (tmp_path / "c.tsv").write_bytes("chrom\ttss\tstrand\nchrü\t5\t+\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"got .*c\.tsv: .*utf-8"):
        read_tss(tmp_path / "c.tsv")


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    line = 'chr1\tX\t{}\t{}\t90000000\t.\t+\t.\tgene_id "G"; gene_name "N"; gene_type "protein_coding"; note "{}";\n'
    rows = [line.format("transcript" if i % 40 == 0 else "exon", i + 1, "x" * 400) for i in range(60_000)]
    path = written(tmp_path, "".join(rows))
    assert path.stat().st_size > 25_000_000
    tracemalloc.start()
    try:
        table = read_tss(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert table["tss"].tolist() == list(range(0, 60_000, 40))
    assert peak < 20_000_000  # a few blocks of 4 MB, and the table
