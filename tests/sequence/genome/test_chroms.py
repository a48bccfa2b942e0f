"""Names of chromosomes with and without "chr", and the files that they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangermeme_creme.sequence.genome import known_chroms, match_chroms, read_bed


@pytest.mark.parametrize("name", ["1", "chr1", 1])
@pytest.mark.parametrize("known", ["1", "chr1"])
def test_chromosomes_match_with_and_without_chr(name: object, known: str) -> None:
    assert match_chroms([name], ["2", known]) == {str(name): known}


def test_the_mitochondrion_has_three_names_and_exact_names_go_first() -> None:
    for name in ("M", "MT", "chrM"):
        assert set(match_chroms(["M", "MT", "chrM"], [name]).values()) == {name}
    assert match_chroms(["1", "chr1", "X"], ["chr1", "1"]) == {"1": "1", "chr1": "chr1"}


def test_a_chromosome_that_is_not_known_is_named_with_its_row() -> None:
    with pytest.raises(
        ValueError, match=r"which has chr1, chr2; got 'chr3' at row 1, and 2 of 3 rows .* \(chr3, chr4\)"
    ):
        known_chroms(["1", "chr3", "chr4"], ["chr1", "chr2"], "genome.fa")


def test_a_bed_file_is_read_with_windows_line_ends_and_a_mark_of_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_bytes("\ufefftrack name=a\r\nchr1\t5\t9\tx\r\nchr1 6 8 y\r\n".encode())
    assert read_bed(tmp_path / "a.bed", columns=4).to_numpy().tolist() == [["chr1", 5, 9, "x"], ["chr1", 6, 8, "y"]]
