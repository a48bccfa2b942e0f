"""Files that are whole or not there, whatever is compressed; names of chromosomes that are one."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangermeme_creme.sequence.genome import known_chroms, match_chroms, read_bed
from tangermeme_creme.support import line_at, open_bytes, replace_file


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        replace_file(path, half)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there_is_named_by_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught:
        replace_file(path, lambda temporary: temporary.write_text("x"))
    assert caught.value.filename == str(path) and not path.parent.exists()


@given(lines=st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b" ")), min_size=1, max_size=9))
def test_lines_are_numbered_by_their_first_byte(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    data = b"\n".join(lines)
    folder = tmp_path_factory.mktemp("files")
    (folder / "plain").write_bytes(b"#" + data)
    (folder / "zipped").write_bytes(gzip.compress(b"#" + data))
    starts = [1 + sum(len(line) + 1 for line in lines[:i]) for i in range(len(lines))]
    for name in ("plain", "zipped"):
        with open_bytes(folder / name) as file:
            assert file.read() == b"#" + data
        assert [line_at(folder / name, start) for start in starts] == list(range(1, len(lines) + 1))


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
