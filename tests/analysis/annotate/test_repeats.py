"""Test reading both formats of repeats, and the content of repeats in CREs."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.analysis.annotate import overlap_by_group, read_repeats, repeat_content

OUT = """   SW   perc perc perc  query     position in query              matching       repeat       position in repeat
score   div. del. ins.  sequence  begin end          (left)    repeat         class/family  begin  end    (left)  ID

  463   1.3  0.6  1.7  chr1      10001   10468 (248945954) + (TAACCC)n      Simple_repeat      1   471    (0)     1
 3612  11.4 21.5  1.3  chr1      10469   11447 (248944975) C TAR1           Satellite/telo  (399) 1712    483     2 *
  239  29.4  1.9  1.0  chr2      15265   15355 (248941067) C MIR3           SINE/MIR        (119)  143     49     5
   18  23.2  0.0  1.9  chr1      11500   11600 (248941067) + AluJo          DNA?/hAT?          1   100    (10)    6
"""
RMSK = (
    "585\t463\t13\t6\t17\tchr1\t10000\t10468\t-248946054\t+\t(TAACCC)n\tSimple_repeat\tSimple_repeat\t1\t471\t0\t1\n"
    "585\t3612\t114\t270\t13\tchr1\t10468\t11447\t-248945075\t-\tTAR1\tSatellite\ttelo\t-399\t1712\t483\t2\n"
    "585\t239\t294\t19\t10\tchr2\t15264\t15355\t-248941167\t-\tMIR3\tSINE\tMIR\t-119\t143\t49\t5\n"
    "585\t18\t232\t0\t19\tchr1\t11499\t11600\t-248941167\t+\tAluJo\tDNA?\thAT?\t1\t100\t-10\t6\n"
)
HEADER = "#bin\tswScore\tmilliDiv\tmilliDel\tmilliIns\tgenoName\tgenoStart\tgenoEnd\tgenoLeft\tstrand\trepName\trepClass\trepFamily\trepStart\trepEnd\trepLeft\tid\n"  # noqa: E501
REPEATS = [
    ["chr1", 10_000, 10_468, "(TAACCC)n", "Simple_repeat", "Simple_repeat"],
    ["chr1", 10_468, 11_447, "TAR1", "Satellite", "telo"],
    ["chr2", 15_264, 15_355, "MIR3", "SINE", "MIR"],
    ["chr1", 11_499, 11_600, "AluJo", "DNA", "hAT"],
]


@pytest.mark.parametrize(
    "text",
    [
        OUT,
        OUT.split("\n\n", 1)[1],
        OUT.replace("\n\n", "\n"),
        re.sub(r"\d( \*)?\n(?= |$)", r"\1\n", OUT),  # without identifiers
        RMSK,
        HEADER + RMSK,
        "".join(line[4:] + "\n" for line in RMSK.splitlines()),
    ],
)
@pytest.mark.parametrize("name", ["repeats.txt", "repeats.txt.gz"])
def test_both_formats_of_repeats_read_the_same(text: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    table = read_repeats(path)
    assert table.to_numpy().tolist() == REPEATS
    assert list(table.columns) == ["chrom", "start", "end", "name", "class", "family"]


def test_repeats_of_each_class_and_of_any() -> None:
    table = pd.DataFrame(REPEATS, columns=["chrom", "start", "end", "name", "class", "family"])
    cres = pd.DataFrame({"chrom": ["1", "1"], "start": [10_448, 90_000], "end": [10_548, 90_100], "cre": "enhancer"})
    found = repeat_content(cres, table)
    kinds = ["any", "DNA", "SINE", "Satellite", "Simple_repeat"]
    assert found["annotation"].tolist() == kinds * 2  # one is on a chromosome without CREs
    assert found["fraction"].tolist() == [1.0, 0, 0, 0.8, 0.2] + [0.0] * 5
    assert found["n_elements"].tolist() == [2, 0, 0, 1, 1] + [0] * 5
    summary = overlap_by_group(found).set_index("annotation")
    assert summary.loc["Satellite", ["n", "percent", "percent_bp"]].tolist() == [2, 50.0, 40.0]
    assert "telo" in set(repeat_content(cres, table, level="family")["annotation"])
    with pytest.raises(ValueError, match="level must be 'class' or 'family'; got 'name'"):
        repeat_content(cres, table, level="name")
    with pytest.raises(
        ValueError, match=r"repeats must have chromosomes of the CREs .*; got '1', and 'II' of the CREs"
    ):
        repeat_content(cres.assign(chrom="II"), table)


def test_repeats_without_a_class_are_named() -> None:
    table = pd.DataFrame(REPEATS, columns=["chrom", "start", "end", "name", "class", "family"])
    cres = pd.DataFrame({"chrom": ["1"], "start": [0], "end": [10]})
    for bad in (None, "any"):
        with pytest.raises(
            ValueError, match=f"class of repeats must be a name other than 'any'; got ({bad}|nan) at row 1"
        ):
            repeat_content(cres, table.assign(**{"class": ["SINE", bad, "LTR", "DNA"]}))


def test_a_sequence_without_repeats_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.out").write_text("There were no repetitive sequences detected in cres.fa\n")
    cres = pd.DataFrame({"chrom": ["1"], "start": [0], "end": [10]})
    assert repeat_content(cres, tmp_path / "a.out")[["annotation", "fraction"]].to_numpy().tolist() == [["any", 0.0]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (OUT.replace("15265   15355", "15355   15265"), "chr2, 15355, 15265, SINE/MIR in line 6"),
        (OUT.replace("15265 ", "x "), "chr2, x, 15355, SINE/MIR in line 6"),
        (RMSK.replace("11499", "-1"), "chr1, -1, 11600, DNA. in line 4"),
        (HEADER + RMSK + "585\t18\n", "in line 6"),
        (OUT.replace("AluJo          ", ""), r"chr1, 11500, 11600, 1 in line 7"),
        (OUT.replace("MIR3           ", ""), r"chr2, 15265, 15355, \(119\) in line 6"),
        (OUT.replace("+ AluJo ", "AluJo "), r"chr1, 11500, 11600, 1 in line 7"),
        (OUT.replace("     5\n", "\n"), r"chr2, 15265, 15355, SINE/MIR in line 6"),
        (OUT.replace("     2 *\n", " *\n"), r"chr1, 10469, 11447, Satellite/telo in line 5"),
        (OUT.replace("15265 ", "1" * 23), r"chr2, 1{23}15355, \(248941067\), 143 in line 6|chr2, 1{23}, "),
        (RMSK.replace("\tAluJo\t", "\t"), r"in line 4"),
        (RMSK.replace("\tAluJo\t", "\t\t"), r"chr1, 11499, 11600, DNA\? in line 4"),
        (RMSK.replace("\tSINE\t", "\t\t"), r"in line 3"),
        (RMSK.replace("15264", "1" * 23), r"chr2, 1{23}, 15355, SINE in line 3"),
        (RMSK.replace("SINE", "S" * 70_000).replace("15264", "-"), r"S{120}'\.\.\. \(70000 characters"),
        (OUT + "\n" + OUT.splitlines()[-1].replace("11500 ", "x "), "in line 9"),
        ("chr1\t5\t9\n", r"a \.out of RepeatMasker or an rmsk of UCSC; got .*a\.txt"),
        ("", r"got .*a\.txt"),
    ],
)
def test_a_broken_line_of_repeats_is_named(text: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=match):
        read_repeats(tmp_path / "a.txt")


def test_repeats_of_no_length_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(RMSK.replace("\t10000\t10468", "\t10000\t10000"))
    with pytest.warns(TangermemeWarning, match=r"^1 repeats have no length, .* the first is in line 1 of .*a\.txt\.$"):
        assert read_repeats(tmp_path / "a.txt").to_numpy().tolist() == REPEATS[1:]


def test_repeats_named_as_missing_values_and_blank_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.out").write_text(OUT.replace("AluJo", "NA   ") + "\n\n")
    assert read_repeats(tmp_path / "a.out")["name"].tolist() == ["(TAACCC)n", "TAR1", "MIR3", "NA"]


def test_repeats_that_are_cut_short_are_named(tmp_path: Path) -> None:
    lines = "".join(
        f"585\t{i}\t1\t1\t1\tchr1\t{i}\t{i + 9}\t-1\t+\tn{i}\tSINE\tAlu\t1\t1\t1\t{i}\n" for i in range(5000)
    )
    data = gzip.compress(lines.encode())
    (tmp_path / "a.txt.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"must be whole; got .*a\.txt\.gz"):
        read_repeats(tmp_path / "a.txt.gz")
