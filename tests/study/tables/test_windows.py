"""Test the files of windows of a study: letters, arrays, tables of loci, and the TSS off the middle."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fasta_cases import text_of, write_fasta
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.study import StudyError
from tangermeme_creme.study.run import read_loci
from tangermeme_creme.study.spec import StudySpec, spec_from_dict
from tangermeme_creme.study.tables import Windows

MODEL = {"adapter": "function", "function": "a:b", "length": 12, "tracks": ["A"]}
ONE = "ACGTACGTACGT"


def spec_of(file: Path, loci: Path | None = None) -> StudySpec:
    windows = {"file": str(file)} | ({} if loci is None else {"loci": str(loci)})
    return spec_from_dict({"model": MODEL, "windows": windows})


def read(file: Path, width: int | None = None, center: int | None = None) -> list[str]:
    spec = spec_of(file)
    windows = Windows(spec, center)
    try:
        return [text_of(x) for x in windows.read(read_loci(spec), width).to_one_hot()]
    finally:
        windows.close()


def test_letters_of_windows_follow_the_rule_of_genomes(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "windows.fa", {"a": "acgtRYNKmacg", "b": ONE})
    assert read(path) == ["ACGT" + "N" * 5 + "ACG", ONE]
    path = write_fasta(tmp_path / "rna.fa", {"a": "acguACGUacgu", "b": ONE})
    with pytest.warns(TangermemeWarning, match=r"^3 bases of rna\.fa are U, and are read as T"):
        assert read(path) == [ONE, ONE]
    path = write_fasta(tmp_path / "odd.fa", {"a": ONE, "b": "ACGTAEGTACGT"})
    with pytest.raises(ValueError, match=r"IUPAC codes; got 'E' at b:5 of odd\.fa"):
        read(path)
    path = write_fasta(tmp_path / "unknown.fa", {"a": ONE, "b": "N" * 12})
    with pytest.warns(TangermemeWarning, match="1 of 2 windows have no known base, N throughout; the first is 'b'"):
        assert read(path) == [ONE, "N" * 12]


def test_windows_whose_index_does_not_fit_are_indexed_again(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "windows.fa", {"a": ONE, "b": ONE})
    assert read(path) == [ONE, ONE]
    path.write_text(path.read_text().replace("a some words", "a some other words"))
    with pytest.warns(TangermemeWarning, match="the index of .* does not fit the file, and is built again"):
        assert read(path) == [ONE, ONE]


def test_the_bases_around_a_tss_off_the_middle_are_read(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "windows.fa", {"a": "AAAAACGTTTTT"})
    assert read(path, 4) == ["ACGT"] and read(path, 4, center=8) == ["GTTT"]
    genome = write_fasta(tmp_path / "genome.fa", {"chr1": "A" * 20 + "CG" + "T" * 20})
    (tmp_path / "tss.tsv").write_text("chrom\ttss\tstrand\tgene\nchr1\t20\t+\tX\nchr1\t20\t-\tY\n")
    spec = spec_from_dict({"model": MODEL, "loci": {"fasta": str(genome), "tss": str(tmp_path / "tss.tsv")}})
    loci, windows = read_loci(spec), Windows(spec, center=3)
    assert [text_of(x) for x in windows.read(loci).to_one_hot()] == ["AAACGTTTTTTT", "AACGTTTTTTTT"]
    assert [text_of(x) for x in windows.read(loci, 4).to_one_hot()] == ["AACG", "ACGT"]
    windows.close()
    with pytest.raises(ValueError, match="center must be the index of a base of the window of 12 bp; got 12"):
        Windows(spec, center=12)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", r"must be whole: fasta must be .*got .*w\.fa: .*does not contain a valid sequence"),
        (b">a\nACGT\nAC\nACGT\n", r"got .*w\.fa: .*Line 3 does not have the length"),
        (b">a\nACGT\n\n\n>b\nACGT\n", r"got .*w\.fa: .*Line 3 does not have the length .* or is blank"),
        (gzip.compress(b">a\nACGT\n"), r"got .*w\.fa: .* compressed: decompress it"),
        (b"\x00\x01\xff", r"got .*w\.fa"),
    ],
    ids=["empty", "ragged", "blank", "gzip", "binary"],
)
def test_a_bad_file_of_windows_is_named(content: bytes, match: str, tmp_path: Path) -> None:
    (tmp_path / "w.fa").write_bytes(content)
    with pytest.raises(StudyError, match=match):
        read_loci(spec_of(tmp_path / "w.fa"))


def test_windows_of_another_length_are_named(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "w.fa", {"a": ONE, "b": ONE[:7]})
    with pytest.raises(ValueError, match=r"a window must have shape \(4, 12\); got \(4, 7\) for 'b'"):
        read(path)


def array_of(texts: list[str]) -> np.ndarray:
    return np.array([[[letter == base for letter in text] for base in "ACGT"] for text in texts])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", ">f4", "<f2", "float64"])
def test_arrays_of_any_numbers_are_read(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", array_of([ONE, ONE[::-1]]).astype(dtype))
    assert read(tmp_path / "w.npy") == [ONE, ONE[::-1]]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda data: b"", r"must be a whole \.npy file; got '.*w\.npy', which does not begin as one"),
        (lambda data: data[:-9], r"must be a whole \.npy file; got '.*w\.npy': "),
        (lambda data: data[:40], r"must be a whole \.npy file; got '.*w\.npy': "),
        (lambda data: b"text", r"must be a whole \.npy file; got '.*w\.npy', which does not begin as one"),
        (
            lambda data: array_bytes(np.zeros((2, 12, 4))),
            r"must have shape \(N, 4, L\); got \(2, 12, 4\) in '.*w\.npy'",
        ),
        (lambda data: array_bytes(np.zeros((2, 4, 12), complex)), "must hold numbers of at most 64 bits; got complex"),
        (lambda data: array_bytes(np.full((2, 4, 12), "A")), "must hold numbers of at most 64 bits; got <U1"),
    ],
    ids=["empty", "cut", "header cut", "text", "shape", "complex", "letters"],
)
def test_a_bad_array_is_named(change: Any, match: str, tmp_path: Path) -> None:
    (tmp_path / "w.npy").write_bytes(change(array_bytes(array_of([ONE]))))
    with pytest.raises(StudyError, match=match):
        read_loci(spec_of(tmp_path / "w.npy"))


def array_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_an_array_that_is_not_one_hot_names_the_window(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", array_of([ONE, ONE]) * np.array([1, 2])[:, None, None])
    with pytest.raises(ValueError, match=r"window '1' must be one-hot.*; got 2"):
        read(tmp_path / "w.npy")


def test_a_place_without_a_strand_is_none(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "w.fa", {"a": ONE, "b": ONE})
    table = pd.DataFrame({"example": ["a", "b"], "chrom": "chr1", "tss": [5, 6], "strand": [".", "+"]})
    table.to_csv(tmp_path / "w.tsv", sep="\t", index=False)
    with pytest.warns(TangermemeWarning, match=r"^1 of 2 windows have a place without a strand .* the first is 'a'"):
        loci = read_loci(spec_of(path, tmp_path / "w.tsv"))
    assert loci[["chrom", "tss", "strand"]].to_numpy().tolist() == [["", "", ""], ["chr1", "6", "+"]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (
            "a\tchr1\t" + "1" * 23 + "\t+",
            "whole tss, and strand .*; got chrom 'chr1', tss '1{23}', strand '.' at row 0",
        ),
        ("a\tchr1\t5", r"every line of .*w\.tsv must have the 4 columns of its header; got 3 in line 2"),
        ("a\tchr1\t" + "x" * 70_000 + "\t+", r"tss 'x{120}'\.\.\. \(70000 characters\), strand"),
        ("a" * 70_000 + "\tchr1\t5\t+", r"must name windows of windows\.file; got 'a{120}'\.\.\. \(70000 characters\)"),
        ("\tchr1\t5\t+", "must name windows of windows.file; got ''"),
    ],
    ids=["long tss", "short row", "long cell", "long name", "no name"],
)
def test_a_bad_row_of_the_loci_of_windows_is_named(text: str, match: str, tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "w.fa", {"a": ONE})
    (tmp_path / "w.tsv").write_text(f"example\tchrom\ttss\tstrand\n{text}\n")
    with pytest.raises(StudyError, match=match):
        read_loci(spec_of(path, tmp_path / "w.tsv"))


def test_a_list_of_genes_that_is_not_text_is_named(tmp_path: Path) -> None:
    genome = write_fasta(tmp_path / "genome.fa", {"chr1": "ACGT" * 10})
    (tmp_path / "tss.tsv").write_text("chrom\ttss\tstrand\tgene\nchr1\t20\t+\tX\n")
    (tmp_path / "genes.txt").write_bytes(b"X\n\xff\n")
    loci = {"fasta": str(genome), "tss": str(tmp_path / "tss.tsv"), "genes": str(tmp_path / "genes.txt")}
    with pytest.raises(StudyError, match=r"must be UTF-8 with .*; got byte 0xff in line 2 of .*genes\.txt"):
        read_loci(spec_from_dict({"model": MODEL, "loci": loci}))
