"""Find repeats in CREs, from files of RepeatMasker and UCSC."""

from __future__ import annotations

import csv
import os
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...sequence import check_choice
from ...sequence.genome import LAST_BASE
from ...support import check_columns, open_bytes, shown, warn
from .intervals import overlapping_pairs, region_table
from .overlaps import check_chroms, elements_over

_REPEAT_COLUMNS = ["chrom", "start", "end", "name", "class", "family"]
_HEADER_LINES = 3  # at most, before the first record
_RULE = "a file of repeats must be a .out of RepeatMasker or an rmsk of UCSC"
_FEW_WORDS = ("chrom", "strand", "name", "class", "family")
_NOT_A_CLASS = re.compile(r"[-+(]?[0-9]+\)?|[+*C-]|\s*")  # the number beside the class, where a field is missing


class _Layout(NamedTuple):
    """Hold where the columns of a format are, and what they may be."""

    columns: dict[int, str]
    n_columns: int
    first: int
    strands: tuple[str, ...]
    others: tuple[str, ...] = ()


_RMSK = _Layout(
    {5: "chrom", 6: "start", 7: "end", 9: "strand", 10: "name", 11: "class", 12: "family"},
    n_columns=17, first=0, strands=("+", "-", "C"), others=("family",),
)  # fmt: skip
_OUT = _Layout(
    {4: "chrom", 5: "start", 6: "end", 8: "strand", 9: "name", 10: "class"},
    n_columns=15, first=1, strands=("+", "C"),
)  # fmt: skip


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
        If the file has neither format, has a line that is broken or lacks a field, or is gzipped and cut short; the
        message names the file and the line.

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
        return _read_records(path, _RMSK, n_columns=n_columns, sep="\t", skiprows=header)
    n_columns = len(first.removesuffix(b"*\n").split())  # "*": a better match overlaps this one
    if n_columns not in (_OUT.n_columns - 1, _OUT.n_columns):  # without and with the identifier
        raise ValueError(f"{_RULE}; got {os.fspath(path)}, with {n_columns} columns in line {header + 1}.")
    return _read_records(path, _OUT, n_columns=n_columns, sep=r"\s+", skiprows=header)


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
    check_choice("level", level, "class", "family")
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
    path: str | os.PathLike[str], layout: _Layout, *, n_columns: int, sep: str, skiprows: int
) -> pd.DataFrame:
    shift = n_columns - layout.n_columns if layout is _RMSK else 0
    names = {place + shift: name for place, name in layout.columns.items()} | {0: "first", n_columns - 1: "last"}
    # Words stand for numbers too, so that a row that lacks a field is told by its words.
    types = {place: "category" if name in _FEW_WORDS else "string[pyarrow]" for place, name in names.items()}
    rule = f"{_RULE}; got {os.fspath(path)}"
    with open_bytes(path) as file:
        try:
            table = pd.read_csv(
                file, sep=sep, header=None, usecols=list(names), dtype=types, skiprows=skiprows,
                quoting=csv.QUOTE_NONE, skip_blank_lines=False, keep_default_na=False, na_values=[""],
            ).rename(columns=names)  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{rule}: {error}") from error
    table = table[table.notna().any(axis=1)]
    start, end = (_whole(table[name]) for name in ("start", "end"))
    start = start - layout.first  # .out files count from 1
    words = table["class"].astype(object)
    bad = ~((start >= 0) & (start <= end) & (end <= LAST_BASE)) | ~table["strand"].isin(layout.strands)
    bad |= table[["chrom", "name", "class", *layout.others]].isna().any(axis=1)
    bad |= table["last"].isna() | (table["last"] == "*")
    bad |= table["class"].isin([word for word in words.dropna().unique() if _NOT_A_CLASS.fullmatch(word)])
    if bad.any():
        row = table[bad].iloc[0]
        got = ", ".join(shown(str(row[name]))[1:-1] for name in ("chrom", "start", "end", "class"))
        raise ValueError(f"{rule}, with {got} in line {table.index[bad][0] + skiprows + 1}.")
    empty = (start == end).to_numpy()
    if empty.any():
        line = table.index[empty][0] + skiprows + 1
        warn(
            f"{empty.sum()} repeats have no length, and are left out; the first is in line {line} of {os.fspath(path)}."
        )
    table, start, end = (part[~empty] for part in (table, start, end))
    label = table["class"].astype(str).str.replace("?", "", regex=False)
    if layout is _OUT:  # "class/family" or "class"
        parts = label.str.split("/", n=1)
        label, family = parts.str[0], parts.str[-1]
    else:
        family = table["family"].astype(str).str.replace("?", "", regex=False)
    repeats = {"chrom": table["chrom"].astype(str), "start": start.astype(np.int64), "end": end.astype(np.int64)}
    repeats |= {"name": table["name"].astype(str), "class": label, "family": family}
    return pd.DataFrame(repeats).reset_index(drop=True)


def _whole(values: pd.Series) -> pd.Series:
    """Return whole numbers of up to ten digits as float64, and NaN for anything else."""
    whole = values.str.fullmatch("[0-9]{1,10}").fillna(False).astype(bool)
    return pd.to_numeric(values.where(whole), errors="coerce").astype("float64")
