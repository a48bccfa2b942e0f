"""Repeats in CREs, from the files of RepeatMasker and of UCSC."""

from __future__ import annotations

import csv
import os
import re

import numpy as np
import pandas as pd

from ...support import check_columns, open_bytes
from .intervals import overlaps, region_table
from .overlaps import check_chroms, elements_over

_COLUMNS = ["chrom", "start", "end", "name", "class", "family"]
_HEADER = 3  # lines before the first record, at most
_RMSK = {5: "chrom", 6: "start", 7: "end", 10: "name", 11: "class", 12: "family"}
_OUT = {4: "chrom", 5: "start", 6: "end", 9: "name", 10: "class"}


def read_repeats(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read repeats from a `.out` file of RepeatMasker or a `rmsk` table of UCSC, plain or gzipped.

    A "?" that RepeatMasker puts after a class of which it is not sure is taken off. Formats:
    https://www.repeatmasker.org/webrepeatmaskerhelp.html and the schema of track rmsk at https://genome.ucsc.edu.

    Parameters
    ----------
    path: path

    Returns
    -------
    repeats: pandas.DataFrame
        `chrom`, `start`, `end` (0-based, half-open), `name`, `class` (SINE, LINE, LTR ...) and `family` (Alu, L1 ...,
        or the class where there is none), in the order of the file.

    Raises
    ------
    ValueError
        If the file is neither, has a broken line, or is gzipped and cut short; the message names it and the line.

    Examples
    --------
    >>> import tempfile
    >>> line = "1504 1.3 0.4 1.3 chr1 10001 10468 (248945954) + (TAACCC)n Simple_repeat 1 471 (0) 1"
    >>> with tempfile.NamedTemporaryFile("w", suffix=".out") as file:
    ...     _ = file.write(f"   SW  perc perc perc\\nscore  div. del. ins.\\n\\n{line}\\n")
    ...     file.flush()
    ...     read_repeats(file.name)
      chrom  start    end       name          class         family
    0  chr1  10000  10468  (TAACCC)n  Simple_repeat  Simple_repeat
    """
    header, first = 0, b""
    with open_bytes(path) as file:
        for header, first in enumerate(file):
            if first.startswith(b"There were no repetitive sequences"):
                return pd.DataFrame({name: [] for name in _COLUMNS}).astype({"start": np.int64, "end": np.int64})
            if header == _HEADER or re.match(rb"\s*\d", first):  # records begin with a number
                break
    n_columns = first.count(b"\t") + 1
    if n_columns in (16, 17):  # UCSC's, without and with the column of bins
        return _read(path, _RMSK, shift=n_columns - 17, sep="\t", skiprows=header)
    return _read(path, _OUT, shift=0, sep=r"\s+", skiprows=header)


def repeat_content(
    cres: pd.DataFrame, repeats: str | os.PathLike[str] | pd.DataFrame, *, level: str = "class"
) -> pd.DataFrame:
    """How much of each CRE is repeats of each class.

    Paper: Methods, "Biochemical characterization of CREs", and Supplementary Table 1. `overlap_by_group` makes the
    percentages of CREs, and of bp, of it. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and what else. "chr1" and "1" are one.

    repeats: path or pandas.DataFrame
        A file for `read_repeats`, or what it gives.

    level: "class" or "family", optional
        Default is "class".

    Returns
    -------
    table: pandas.DataFrame
        One row a CRE and class, "any" first and then by name: the columns of `cres`, then `annotation` (the class),
        `fraction` (of the bp of the CRE) and `n_elements`, the repeats that overlap it.

    Raises
    ------
    ValueError
        As `read_repeats` and `bed_overlap`, or if `level` is neither.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [100]})
    >>> repeats = pd.DataFrame({"chrom": "chr1", "start": [0, 40], "end": [10, 60], "class": ["SINE", "LINE"]})
    >>> repeat_content(cres, repeats)[["annotation", "fraction"]].to_numpy().tolist()
    [['any', 0.3], ['LINE', 0.2], ['SINE', 0.1]]
    """
    if level not in ("class", "family"):
        raise ValueError(f"level must be 'class' or 'family'; got {level!r}.")
    table = repeats if isinstance(repeats, pd.DataFrame) else read_repeats(repeats)
    check_columns(table, ["chrom", "start", "end", level], "repeats")
    bad = (table[level].isna() | (table[level] == "any")).to_numpy(dtype=bool)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{level} of repeats must be a name other than 'any'; got {table[level].iloc[row]} at row {row}."
        )
    found, regions, kind = region_table(table), region_table(cres), table[level].astype(str).to_numpy()
    check_chroms(found, regions, "repeats")
    near = np.unique(overlaps(regions, found)["other"])  # a handful of the millions of a genome
    of_kind = {name: found.iloc[near[kind[near] == name]] for name in sorted(set(kind))}
    return elements_over(cres, regions, {"any": found.iloc[near], **of_kind})


def _read(
    path: str | os.PathLike[str], columns: dict[int, str], *, shift: int, sep: str, skiprows: int
) -> pd.DataFrame:
    names = {place + shift: name for place, name in columns.items()}
    text = {place: "category" for place, name in names.items() if name not in ("start", "end")}
    rule = f"a file of repeats must be a .out of RepeatMasker or an rmsk of UCSC; got {os.fspath(path)}"
    with open_bytes(path) as file:
        try:
            table = pd.read_csv(
                file, sep=sep, header=None, usecols=list(names), dtype=text, skiprows=skiprows,
                quoting=csv.QUOTE_NONE, low_memory=False,
            ).rename(columns=names)  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{rule}: {error}") from error
    start, end = (pd.to_numeric(table[name], errors="coerce") for name in ("start", "end"))
    start = start - (columns is _OUT)  # counted from 1
    bad = (~((start >= 0) & (start < end)) | table["class"].isna()).to_numpy()
    if bad.any():
        row = table[bad].iloc[0]
        got = ", ".join(str(row[name]) for name in ("chrom", "start", "end", "class"))
        raise ValueError(f"{rule}, with {got} in line {table.index[bad][0] + skiprows + 1}.")
    label = table["class"].astype(str).str.replace("?", "", regex=False)
    if columns is _OUT:  # "class/family", or the class alone
        parts = label.str.split("/", n=1)
        label, family = parts.str[0], parts.str[-1]
    else:
        family = table["family"].astype(str).str.replace("?", "", regex=False)
    found = {"chrom": table["chrom"].astype(str), "start": start.astype(np.int64), "end": end.astype(np.int64)}
    found |= {"name": table["name"].astype(str), "class": label, "family": family}
    return pd.DataFrame(found).reset_index(drop=True)
