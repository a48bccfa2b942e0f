"""Cells of delimited files, and lines of text files, with the errors of files that are neither."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tangermeme_creme.support import check_cells, read_cells, shown, text_lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (np.int64(5), "5"),
        (None, "None"),
        ("a" * 120, "'" + "a" * 120 + "'"),
        ("a" * 121, "'" + "a" * 120 + "'... (121 characters)"),
        ([1] * 1000, "[" + "1, " * 39 + "1,..."),
    ],
)
def test_values_are_shown_cut(value: object, text: str) -> None:
    assert shown(value) == text


def test_cells_are_read_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbfa,b\r\n\r\n1,"x,\n""y"""\r\n2,\r\n'))
    header, lines, cells = read_cells(path, ",")
    assert (header, lines, cells) == (["a", "b"], [4, 5], [["1", 'x,\n"y"'], ["2", ""]])
    check_cells(path, header, lines, cells)
    with pytest.raises(ValueError, match=r"every line of .*gz must have the 2 columns of its header; got 1 in line 5"):
        check_cells(path, header, lines, [cells[0], ["2"]])


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", r"a\.tsv must have a header; got an empty file"),
        (b"a\t\xff", r"a\.tsv must be tab-separated text; got .*0xff"),
    ],
)
def test_files_that_are_no_tables_are_named(data: bytes, match: str, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(data)
    with pytest.raises(ValueError, match=match):
        read_cells(tmp_path / "a.tsv")


def test_lines_of_text_are_read_without_their_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffé\ta\r\n\nb".encode())
    assert list(text_lines(tmp_path / "a.txt")) == [(1, "é\ta"), (2, ""), (3, "b")]


@pytest.mark.parametrize(
    ("line", "byte"), [(b"a\x00b", "0x00"), (b"\xe9", "0xe9"), (b"a\rb", "0x0d"), (b"\x1b[31m\xff", "0x1b")]
)
def test_lines_that_are_not_text_are_named(line: bytes, byte: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\n" + line + b"\n")
    with pytest.raises(ValueError, match=rf"must be UTF-8 .*; got byte {byte} in line 2 of .*a\.txt"):
        list(text_lines(tmp_path / "a.txt"))
