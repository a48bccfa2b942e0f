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
from tangermeme_creme.sequence.genome import read_bed, read_tss

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
            r"whole numbers below 2\*\*32, 1 <= start <= end; got 'chr1.*end.*' in line 8 of .*genes\.gtf",
        ),
        (GOOD.replace("65419\t71585", "71585\t65419"), "start <= end; got .* in line 8"),
        (GOOD.replace("65419", "0"), "1 <= start <= end; got .* in line 8"),
        (GOOD.replace("71585", "1" + "0" * 22), r"numbers below 2\*\*32, .* got 'chr1.* in line 8"),
        (GOOD.replace("\t+\t", "\t*\t"), r"strand of a TSS must be '\+' or '-', or '\.' for none; got .* in line 8"),
        (GOOD.replace('"ENSG1.7"', '""').replace('"OR4F5"', '""'), r"must name its gene .*; got .* in line 8"),
        (GOOD.replace('"ENSG1.7"', '"A","B"'), r"must have one gene_id; got .* in line 8"),
        (GOOD.replace('"ENSG1.7"', '"A"; gene_id "B"'), r"must have one gene_id; got .* in line 8"),
        (GOOD.replace("level 2", "Note=1"), r"attributes such as gene_id .*GFF3 is not read.*; got .* in line 8"),
        (GOOD.replace(";", "", 1), r"attributes such as gene_id .*; got .* in line 8"),
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


LINE = "chr1\tX\t{}\t{}\t{}\t.\t{}\t.\t{}\n"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ('gene_id "G"; gene "PAWR"; Note "frameshift","gene fragment on both strands";', "PAWR"),
        (r'gene_id "G"; gene_name "PAWR"; note "the \"gene one\" of old maps";', "PAWR"),
        (r'gene_id "G"; note "the gene_name \"X\"; gene_name one"; gene_name "PAWR";', "PAWR"),
        (r'gene_id "G"; path "C:\"; gene_name "PAWR"; other "D:\";', "PAWR"),
        ('gene_id "G"; gene_name "a;b # c"; # gene_name "X"', "a;b # c"),
        ("gene_id G; gene_name PAWR; partial;; level 2", "PAWR"),
        ('gene_id "G"; gene_name "PAWR"; gene_name "PAWR"; tag "a"; tag "b"', "PAWR"),
        ('"gene_id ""G""; gene_name ""PAWR"";"', "PAWR"),
        ('"gene_id ""G""; note ""gene_name X"";"', "G"),
        (r'gene_id "G"; gene_name "5\"-end";', '5"-end'),
    ],
)
def test_attributes_are_read_as_a_whole(attributes: str, name: str, tmp_path: Path) -> None:
    path = written(tmp_path, LINE.format("transcript", 1, 9, "+", attributes))
    assert read_tss(path, gene_type=None)[["gene_name", "gene_id"]].to_numpy().tolist() == [[name, "G"]]


def test_a_gtf_as_pandas_writes_it_is_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, GENCODE)
    frame = pd.read_csv(path, sep="\t", header=None, comment="#", dtype=str)
    frame.to_csv(tmp_path / "pandas.gtf", sep="\t", header=False, index=False)
    assert '"gene_id ""ENSG1.7"";' in (tmp_path / "pandas.gtf").read_text()
    pd.testing.assert_frame_equal(read_tss(tmp_path / "pandas.gtf"), read_tss(path))


def test_exons_give_the_first_base_of_each_transcript(tmp_path: Path) -> None:
    of = 'gene_id "{0}"; transcript_id "{0}.{1}"; gene_type "protein_coding";'
    exons = [(101, 200, "+", "A", 1), (301, 400, "+", "A", 1), (51, 60, "+", "A", 2), (11, 20, "+", "A", 2)]
    exons += [(500, 600, "-", "B", 1), (700, 900, "-", "B", 1), (100, 200, "-", "B", 1), (1, 5, "-", "B", 2)]
    lines = [LINE.format("exon", start, end, strand, of.format(gene, k)) for start, end, strand, gene, k in exons]
    path = written(tmp_path, "".join(lines))
    table = read_tss(path, feature="exon")
    assert table[["tss", "strand", "transcript_id"]].to_numpy().tolist() == [
        [100, "+", "A.1"], [10, "+", "A.2"], [899, "-", "B.1"], [4, "-", "B.2"],
    ]  # fmt: skip
    transcripts = [(101, 400, "+", "A", 1), (11, 60, "+", "A", 2), (100, 900, "-", "B", 1), (1, 5, "-", "B", 2)]
    text = "".join(LINE.format("transcript", a, b, s, of.format(gene, k)) for a, b, s, gene, k in transcripts)
    pd.testing.assert_frame_equal(table, read_tss(written(tmp_path, text, "whole.gtf")))
    with pytest.raises(ValueError, match=r"an exon must name its transcript by transcript_id .*; got .* in line 2"):
        read_tss(written(tmp_path, lines[0] + LINE.format("exon", 1, 2, "+", 'gene_id "A"'), "no.gtf"), "exon", None)


@pytest.mark.parametrize("chroms", [None, ["chr1", "chr2"]])
def test_lines_without_a_strand_are_left_out_and_counted(chroms: list[str] | None, tmp_path: Path) -> None:
    name = 'gene_id "{}"; gene_type "{}";'
    lines = [
        LINE.format("transcript", 1, 9, "+", name.format("A", "protein_coding")),
        LINE.format("transcript", 1, 9, ".", name.format("B", "protein_coding")),
        LINE.format("transcript", 1, 9, "?", name.format("C", "protein_coding")).replace("chr1", "chr2"),
        LINE.format("transcript", 1, 9, "-", name.format("C", "protein_coding")).replace("chr1", "chr2"),
        LINE.format("transcript", 1, 9, ".", name.format("D", "lncRNA")),
    ]
    path = written(tmp_path, "".join(lines))
    with pytest.warns(
        TangermemeWarning, match=r"^2 transcript lines have no strand .* the first is line 2 of .*gtf\.$"
    ):
        assert read_tss(path, chroms=chroms)["gene_id"].tolist() == ["A", "C"]


def test_what_was_not_asked_for_is_not_looked_at(tmp_path: Path) -> None:
    odd = [
        LINE.format("transcript", 1, 9, ".", 'gene_id "B"; gene_type "protein_coding";').replace("chr1", "chrUn"),
        LINE.format("transcript", 9, 1, "*", 'Parent="B"').replace("chr1", "chrUn"),
        LINE.format("transcript", "x", 9, ".", 'gene_id "B"; gene_type "lncRNA";'),
    ]
    good = LINE.format("transcript", 1, 9, "+", 'gene_id "A"; gene_type "protein_coding";')
    path = written(tmp_path, "".join([*odd, good]))
    assert read_tss(path, chroms="1")["gene_id"].tolist() == ["A"]
    with pytest.raises(ValueError, match=r"chroms must be of those with a TSS, chrUn, chr1; got 'chr3'"):
        read_tss(path, chroms=["1", "chr3"])
    table = pd.DataFrame({"chrom": ["chr1", "chrUn"], "tss": ["5", "far"], "strand": ["+", "*"]})
    assert read_tss(table, chroms="1")["tss"].tolist() == [5]


@pytest.mark.parametrize("name", ["genes.bed", "genes.tsv", "frame"])
def test_rows_without_a_strand_are_left_out_and_counted(name: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"chrom": ["chr1"] * 3, "tss": [5, 6, 7], "strand": [".", "+", "."], "gene": list("ABC")})
    first = {"genes.bed": "record 1 of .*genes.bed", "genes.tsv": "line 2 of .*genes.tsv", "frame": "row 0 of table"}
    source: object = table
    if name == "genes.bed":
        bed = [f"chr1\t{row.tss}\t{row.tss + 1}\t{row.gene}\t0\t{row.strand}\n" for row in table.itertuples()]
        source = written(tmp_path, "".join(bed), name)
    elif name == "genes.tsv":
        source = written(tmp_path, table.to_csv(sep="\t", index=False), name)
    with pytest.warns(TangermemeWarning, match=rf"^2 rows have no strand .* left out; the first is {first[name]}\.$"):
        found = read_tss(source)  # type: ignore[arg-type]
    assert found[["tss", "gene_id"]].to_numpy().tolist() == [[6, "B"]]
    assert list(found.index) == [0]


def test_elements_of_a_bed_without_a_length_are_one_base(tmp_path: Path) -> None:
    path = written(tmp_path, "chr1\t5\t5\tA\t0\t+\nchr1\t5\t5\tB\t0\t-\n", "genes.bed")
    assert read_bed(path).to_numpy().tolist() == [["chr1", 5, 6], ["chr1", 5, 6]]
    assert read_tss(path)["tss"].tolist() == [5, 5]


def test_rows_of_a_file_are_named_by_their_line(tmp_path: Path) -> None:
    text = "chrom\ttss\tstrand\n\nchr1\t5\t+\nchr1\t123456789012345678901234\t+\n"
    with pytest.raises(ValueError, match=r"tss of .*a\.tsv must be .*; got '?123456789012345678901234'? at line 4"):
        read_tss(written(tmp_path, text, "a.tsv"))
    text = "chrom\ttss\tstrand\nchr1\t5\t+\nchr1\t" + "A" * 70_000 + "\t+\n"
    with pytest.raises(ValueError, match=r"got 'A{120}'\.\.\. \(70000 characters\) at line 3"):
        read_tss(written(tmp_path, text, "b.tsv"))


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
        ("chr1\t200\t100\tA\t0\t+", r"0 <= start <= end in bp; got 'chr1.*' in line 2 of .*genes\.bed"),
        ("100\tchr1\t200\tA\t0\t+", r"0 <= start <= end in bp; got '100.*' in line 2"),
        ("chr1\t100\t200", "must be chrom, start, end, name, score, strand.*; got .* in line 2"),
        ("chr1\t100\t200\tA\t+\t0", r"strand of a TSS must be '\+' or '-', or '\.' for none; got '0' in record 2"),
        ("chr1\t100\t" + "2" * 23 + "\tA\t0\t+", "0 <= start <= end in bp; got .* in line 2"),
        ("chr1\t٣\t5\tA\t0\t+", "0 <= start <= end in bp; got .* in line 2"),
        ("\t1\t5\tA\t0\t+", "0 <= start <= end in bp; got .* in line 2"),
        ("chr1\t1\t5\tA\x00\t0\t+", "must be UTF-8 .*; got byte 0x00 in line 2 of .*genes.bed"),
        ("chr1\t1\t5\tA\rchr1\t1\t5\tA\t0\t+", "line feed at the end of each line; got byte 0x0d in line 2"),
        ("chr1\t1\tx" + "A" * 70_000, r"in bp; got 'chr1\\t1\\txA{1,120}'\.\.\. \(70008 characters\) in line 2 of"),
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
    with pytest.raises(ValueError, match=r"a\.tsv must have a header; got an empty file"):
        read_tss(written(tmp_path, "", "a.tsv"))
    with pytest.raises(
        ValueError, match=r"every line of .*b\.tsv must have the 3 columns of its header; got 5 in line 3"
    ):
        read_tss(written(tmp_path, "chrom\ttss\tstrand\nchr1\t5\t+\nchr1\t5\t+\t6\t7\n", "b.tsv"))
    (tmp_path / "c.tsv").write_bytes("chrom\ttss\tstrand\nchrü\t5\t+\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"c\.tsv must be tab-separated text; got .*utf-8"):
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
