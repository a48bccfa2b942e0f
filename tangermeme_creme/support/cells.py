"""Read the cells of delimited text, and show them in errors."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np

from .files import open_bytes

_LONGEST = 120  # characters of a cell or line in an error


def shown(value: Any) -> str:
    """Write a value for an error, cut off where it is long.

    Examples
    --------
    >>> shown("chr1"), shown(7), shown("A" * 500)[-25:]
    ("'chr1'", '7', "AAAA'... (500 characters)")
    """
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        cut = f"... ({len(value)} characters)" if len(value) > _LONGEST else ""
        return repr(value[:_LONGEST]) + cut
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def read_cells(path: str | os.PathLike[str], delimiter: str = "\t") -> tuple[list[str], list[int], list[list[str]]]:
    """Read the header of a delimited file, and the line and the cells of each row. Empty lines are left out.

    Raises
    ------
    ValueError
        If the file is empty or not text in UTF-8, or a gzipped file is cut short; the message names the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
    ...     _ = file.write("chrom\\ttss\\n\\nchr1\\t5\\n")
    ...     file.flush()
    ...     read_cells(file.name)
    (['chrom', 'tss'], [3], [['chr1', '5']])
    """
    kind = "tab-separated" if delimiter == "\t" else "comma-separated"
    with open_bytes(path) as file:
        data = file.read()
    lines, cells = [], []
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
        for row in reader:
            if row:
                lines.append(reader.line_num)
                cells.append(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{os.fspath(path)} must be {kind} text; got {error}.") from error
    if not cells:
        raise ValueError(f"{os.fspath(path)} must have a header; got an empty file.")
    return cells[0], lines[1:], cells[1:]


def check_cells(path: str | os.PathLike[str], header: list[str], lines: list[int], cells: list[list[str]]) -> None:
    """Refuse rows of a file, as `read_cells` returns them, that have more or fewer cells than its header.

    Examples
    --------
    >>> check_cells("genes.tsv", ["chrom", "tss"], [2], [["chr1", "5"]])
    """
    for number, row in zip(lines, cells):
        if len(row) != len(header):
            raise ValueError(
                f"every line of {os.fspath(path)} must have the {len(header)} columns of its header; got {len(row)} in "
                f"line {number}. Is the file cut off?"
            )
