"""Find repeats in CREs, from files of RepeatMasker and UCSC."""

from __future__ import annotations

import csv
import os
import re

import numpy as np
import pandas as pd

from ...support import check_columns, open_bytes
from .intervals import overlapping_pairs, region_table
from .overlaps import check_chroms, elements_over

_REPEAT_COLUMNS = ["chrom", "start", "end", "name", "class", "family"]
_HEADER_LINES = 3  # at most, before the first record
_RMSK = {5: "chrom", 6: "start", 7: "end", 10: "name", 11: "class", 12: "family"}
_OUT = {4: "chrom", 5: "start", 6: "end", 9: "name", 10: "class"}


def read_repeats(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read repeats from a `.out` file of RepeatMasker or a `rmsk` table of UCSC, plain or gzipped.

    RepeatMasker marks an uncertain class with a "?" after its name, which is removed. Formats:
    https://www.repeatmasker.org/webrepeatmaskerhelp.html and the schema of track rmsk at https://genome.ucsc.edu.

    Parameters
    ----------
    path: path

    Returns
    -------
    repeats: pandas.DataFrame
        `chrom`, `start`, `end` (0-based, half-open), `name`, `class` (SINE, LINE, LTR ...) and `family` (Alu, L1 ...,
        or the class if the file has no family), in the order of the file.

    Raises
    ------
    ValueError
        If the file has neither format, has a broken line, or is gzipped and cut short; the message names the file and
        the line.

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
                return pd.DataFrame({name: [] for name in _REPEAT_COLUMNS}).astype({"start": np.int64, "end": np.int64})
            if header == _HEADER_LINES or re.match(rb"\s*\d", first):  # records begin with a number
                break
    n_columns = first.count(b"\t") + 1
    if n_columns in (16, 17):  # rmsk of UCSC, without and with the column of bins
        return _read_records(path, _RMSK, shift=n_columns - 17, sep="\t", skiprows=header)
    return _read_records(path, _OUT, shift=0, sep=r"\s+", skiprows=header)


def repeat_content(
    cres: pd.DataFrame, repeats: str | os.PathLike[str] | pd.DataFrame, *, level: str = "class"
) -> pd.DataFrame:
    """Compute the fraction of each CRE that lies in repeats of each class.

    Paper: Methods, "Biochemical characterization of CREs", and Supplementary Table 1. `overlap_by_group` computes the
    percentages of CREs and of bp from this table. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and any other columns. "chr1" and "1"
        name the same chromosome.

    repeats: path or pandas.DataFrame
        A file for `read_repeats`, or a table from `read_repeats`.

    level: "class" or "family", optional
        Column of `repeats` to group by. Default is "class".

    Returns
    -------
    table: pandas.DataFrame
        One row per CRE and class, with "any" first and then by name: the columns of `cres`, then `annotation` (the
        class), `fraction` (of the bp of the CRE) and `n_elements` (repeats that overlap the CRE).

    Raises
    ------
    ValueError
        As `read_repeats` and `bed_overlap`, or if `level` is neither "class" nor "family".

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
    elements, regions, kind = region_table(table), region_table(cres), table[level].astype(str).to_numpy()
    check_chroms(elements, regions, "repeats")
    near = np.unique(overlapping_pairs(regions, elements)["second"])  # few of the millions of repeats of a genome
    by_kind = {name: elements.iloc[near[kind[near] == name]] for name in sorted(set(kind))}
    return elements_over(cres, regions, {"any": elements.iloc[near], **by_kind})


def _read_records(
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
    start = start - (columns is _OUT)  # .out files count from 1
    bad = (~((start >= 0) & (start < end)) | table["class"].isna()).to_numpy()
    if bad.any():
        row = table[bad].iloc[0]
        got = ", ".join(str(row[name]) for name in ("chrom", "start", "end", "class"))
        raise ValueError(f"{rule}, with {got} in line {table.index[bad][0] + skiprows + 1}.")
    label = table["class"].astype(str).str.replace("?", "", regex=False)
    if columns is _OUT:  # "class/family" or "class"
        parts = label.str.split("/", n=1)
        label, family = parts.str[0], parts.str[-1]
    else:
        family = table["family"].astype(str).str.replace("?", "", regex=False)
    repeats = {"chrom": table["chrom"].astype(str), "start": start.astype(np.int64), "end": end.astype(np.int64)}
    repeats |= {"name": table["name"].astype(str), "class": label, "family": family}
    return pd.DataFrame(repeats).reset_index(drop=True)
