"""Test letters and indices of FASTA files: what is read, what is refused, and what is indexed again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pyfaidx
import pytest
from fasta_cases import text_of, write_fasta
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.sequence.genome import chrom_sizes, extract_windows, one_hot_letters, opened_fasta

LOCI = pd.DataFrame({"chrom": ["chr1"], "tss": [11], "strand": ["+"]})


def window(path: Path, width: int, tss: int = 11) -> str:
    return text_of(extract_windows(path, LOCI.assign(tss=tss), width)[0])


def test_codes_of_iupac_and_lower_case_are_read(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "acgtRYSWKMBDHVNnrr-acgt"})
    assert window(path, 23) == "ACGT" + "N" * 15 + "ACGT"


def test_u_is_read_as_t_with_one_notice(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "rna.fa", {"chr1": "acguRUSWKMBDHVNnUu-acgu"})
    with pytest.warns(TangermemeWarning, match=r"^5 bases of rna\.fa are U, as in RNA, and are read as T") as caught:
        assert window(path, 23) == "ACGTNT" + "N" * 10 + "TTNACGT"
    assert len(caught) == 1
    with pytest.warns(TangermemeWarning, match="2 bases"), pyfaidx.Fasta(str(path)) as fasta:
        assert text_of(extract_windows(fasta, LOCI.assign(tss=3, strand="-"), 6)[0]) == "NANACG"


@pytest.mark.parametrize("letter", ["E", "Z", "x", "*", "5", " ", "?", "é"])
def test_other_letters_are_named_with_their_place(letter: str, tmp_path: Path) -> None:
    path = tmp_path / "protein.fa"
    path.write_text(f">chr1\nACGTA{letter}GT\n", encoding="latin-1")
    if letter == "é":  # pyfaidx reads UTF-8 alone
        match = r"fasta must be an indexed FASTA file.*protein\.fa"
    else:
        match = rf"IUPAC codes; got '{re.escape(letter)}' at chr1:5 of protein\.fa"
    with pytest.raises(ValueError, match=match):
        window(path, 6, 4)
    with pytest.raises(ValueError, match=r"IUPAC codes; got .* at chr2:7 of x"):
        one_hot_letters(f"ACGTA{letter}GT", "chr2", "x", 2)


@pytest.mark.parametrize("newer", [True, False])
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("chr1 some words", "chr1 some other words"),
        lambda text: text.replace("TTTTTTT", "TTTTTT"),
        lambda text: text + ">chr2\nTT\n",
        lambda text: text[:-5],
        lambda text: text.replace(">chr0", ">chr9"),
    ],
    ids=["longer header", "shorter line", "longer file", "shorter file", "another name"],
)
def test_an_index_that_does_not_fit_is_built_again_whichever_file_is_newer(
    edit: object, newer: bool, tmp_path: Path
) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr0": "ACGTACGTTTTTTT", "chr1": "A" * 11 + "G" + "C" * 11})
    index = Path(f"{path}.fai")
    assert window(path, 5) == "AAGCC"
    path.write_text(edit(path.read_text()))  # type: ignore[operator]
    os.utime(index, (0, 2**31 if newer else 0))
    with pytest.warns(TangermemeWarning, match=r"the index of .*genome\.fa does not fit the file, and is built again"):
        assert window(path, 5) == "AAGCC"
    assert window(path, 5) == "AAGCC"  # without a warning


def test_an_index_that_fits_is_taken_whichever_file_is_newer(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 6})
    plain = window(path, 5)
    os.utime(f"{path}.fai", (0, 0))
    assert window(path, 5) == plain
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert window(path, 5) == plain


def test_an_index_that_is_none_is_built_again(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 6})
    for text in ("", "chr1\t24\n", "chr1\tx\t6\t4\t5\n"):
        Path(f"{path}.fai").write_text(text)
        with pytest.warns(TangermemeWarning, match="is built again"):
            assert chrom_sizes(path) == {"chr1": 24}


def test_a_file_that_lost_lines_behind_an_open_index_is_named(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "short.fa", {"chr1": "ACGT" * 10})
    with opened_fasta(path) as fasta:
        path.write_text(">chr1 some words\nACGTACG\nT\n")
        with pytest.raises(ValueError, match=r"fit its index; got short\.fa, which ends within chr1:0-40: delete its"):
            extract_windows(fasta, LOCI.assign(tss=20), 40)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (">chr1\nACGT\n\n\n>chr2\nACGT\n", r"got .*bad\.fa: .*\. Line 3 does not have the length of the lines"),
        (">chr1\nACGTAC\nACG\nACGTAC\n", r"got .*bad\.fa: .*\. Line 3 does not have the length"),
        (">chr1\nACGT\nACGTA\n", r"got .*bad\.fa: .*\. Line 3 does not have the length"),
        ("ACGT\n>chr1\nACGT\n", r"got .*bad\.fa: .*at line 1"),
        (">\nACGT\n", r"got .*bad\.fa: Bad sequence name"),
        ("", r"got .*bad\.fa: .*does not contain a valid sequence"),
        (">chr1\nACGT\n>chr1\nACGT\n", r"got .*bad\.fa: Duplicate key"),
    ],
    ids=["two blank lines", "ragged", "longer", "no header", "no name", "empty", "twice"],
)
def test_a_file_that_cannot_be_indexed_is_named_with_the_line(text: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.fa"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        chrom_sizes(path)
    assert not list(tmp_path.glob("*.fai"))  # an index of a bad file would be used later


def test_a_gzipped_file_says_how_to_go_on(tmp_path: Path) -> None:
    for name in ("genome.fa.gz", "genome.fa"):
        (tmp_path / name).write_bytes(b"\x1f\x8b no gzip")
        with pytest.raises(ValueError, match=rf"got .*{name}: .* compressed: decompress it \(gunzip\)"):
            chrom_sizes(tmp_path / name)
