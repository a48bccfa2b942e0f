"""Read BED files, plain or gzipped."""

from __future__ import annotations

import os
import re

import pandas as pd

from ...support import shown, text_lines
from .table_columns import LAST_BASE

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")

_POSITION = re.compile("[0-9]{1,10}")


def read_bed(path: str | os.PathLike[str], columns: int = 3) -> pd.DataFrame:
    """Read the first columns of a BED file: `chrom`, `start`, `end` and, if asked for, `name`, `score` and `strand`.

    Parameters
    ----------
    path: path
        Plain or gzipped. Lines that start with "track", "browser" or "#" are skipped.

    columns: int, optional
        Number of columns, 3 to 6. Default is 3.

    Returns
    -------
    table: pandas.DataFrame
        One row per line, 0-based and half-open, in the order of the file. An element of no length, such as an
        insertion, is the base at its start. `score` is text.

    Raises
    ------
    ValueError
        If a line has fewer columns, no chromosome, or positions other than ``0 <= start <= end``, the file is not text,
        or a gzipped file is cut short; the message names the file and the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".bed") as file:
    ...     _ = file.write("track name=a\\nchr1\\t5\\t9\\n")
    ...     file.flush()
    ...     read_bed(file.name)
      chrom  start  end
    0  chr1      5    9
    """
    rule = f"a BED line must be {', '.join(BED_COLUMNS[:columns])}, separated by tabs, with 0 <= start <= end in bp"
    parts: list[list] = [[] for _ in range(columns)]
    for number, text in text_lines(path):
        if not text.strip() or text.startswith(("#", "track", "browser")):
            continue
        fields = text.split("\t") if "\t" in text else text.split()
        if len(fields) < columns or not fields[0].strip() or not _is_region(fields[1], fields[2]):
            raise ValueError(f"{rule}; got {shown(text)} in line {number} of {os.fspath(path)}.")
        start, end = int(fields[1]), int(fields[2])
        for part, field in zip(parts, (fields[0], start, max(end, start + 1), *fields[3:])):
            part.append(field)
    table = pd.DataFrame(dict(zip(BED_COLUMNS, parts)))
    return table.astype({"start": "int64", "end": "int64"})


def _is_region(start: str, end: str) -> bool:
    return bool(_POSITION.fullmatch(start) and _POSITION.fullmatch(end)) and int(start) <= int(end) <= LAST_BASE
