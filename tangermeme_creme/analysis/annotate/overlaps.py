"""How much of CREs lies in annotated elements, which of their genes are in a list, and how groups differ."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ...sequence.genome import read_bed
from ...support import check_columns, open_bytes
from ..stats import one_row_each
from .intervals import covered, region_table

Path = str | os.PathLike[str]


def bed_overlap(cres: pd.DataFrame, annotations: Mapping[str, Path | pd.DataFrame]) -> pd.DataFrame:
    """How much of each CRE lies in annotated elements: promoters, an enhancer atlas, whatever is in a BED file.

    Through bioframe. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and what else. "chr1" and "1" are one.

    annotations: mapping of str to path or pandas.DataFrame
        BED files, plain or gzipped, or tables of `chrom`, `start` and `end`, by the name that `annotation` is to have.

    Returns
    -------
    table: pandas.DataFrame
        One row a CRE and annotation, in their order: the columns of `cres`, then `annotation`, `fraction` (of the bp of
        the CRE that any element covers) and `n_elements` that overlap it.

    Raises
    ------
    ValueError
        If a column is missing, a region is none, or an annotation has no chromosome of the CREs; the message names the
        file and the line, or the annotation and the row.

    Examples
    --------
    >>> cres = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [100]})
    >>> promoters = pd.DataFrame({"chrom": ["1", "1"], "start": [10, 20], "end": [30, 35]})
    >>> bed_overlap(cres, {"promoter": promoters})
      chrom  start  end annotation  fraction  n_elements
    0  chr1      0  100   promoter      0.25           2
    """
    check_named(annotations, "annotations")
    regions = region_table(cres)
    tables = {name: _elements(name, given) for name, given in annotations.items()}
    for name, table in tables.items():
        check_chroms(table, regions, f"annotation {name!r}")
    return elements_over(cres, regions, tables)


def check_named(given: object, name: str) -> None:
    """Refuse what is no mapping of names to files."""
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{name} must be a mapping from a name to a file, {{'name': file}}; got {type(given).__name__}."
        )


def check_chroms(table: pd.DataFrame, regions: pd.DataFrame, name: str) -> None:
    """Refuse a table that has nothing on any chromosome of the CREs. All are plain names."""
    if len(table) and len(regions) and not regions["chrom"].isin(table["chrom"].unique()).any():
        got = f"{table['chrom'].iloc[0]!r}, and {regions['chrom'].iloc[0]!r} of the CREs"
        raise ValueError(
            f"{name} must have chromosomes of the CREs (written without 'chr'); got {got}, at row 0 of each."
        )


def elements_over(cres: pd.DataFrame, regions: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`bed_overlap` of what `region_table` gives of CREs and of annotations."""
    width = (regions["end"] - regions["start"]).to_numpy()
    fraction, n = np.zeros((len(cres), len(tables))), np.zeros((len(cres), len(tables)), dtype=np.int64)
    for k, table in enumerate(tables.values()):
        bp, n[:, k] = covered(regions, table)
        fraction[:, k] = bp / width
    return one_row_each(cres, "annotation", list(tables), {"fraction": fraction, "n_elements": n})


def gene_list_overlap(
    table: pd.DataFrame, lists: Mapping[str, Path | Iterable[str]], *, column: str = "gene_name"
) -> pd.DataFrame:
    """Which genes are in a list, say of housekeeping genes, in the form of `bed_overlap`.

    Paper: Results, "How much does distal context affect TSS activity?": 22% of the genes of neutral contexts are
    housekeeping genes, and 5% of others. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        One row a gene, or a CRE of one.

    lists: mapping of str to iterable of str or path
        Genes, or a file with one in the first column of each line, by the name that `annotation` is to have.

    column: str, optional
        Where the gene is, as the lists spell it. Default is "gene_name".

    Returns
    -------
    table: pandas.DataFrame
        One row a row and list: the columns of `table`, then `annotation`, `fraction` and `n_elements`, both 1 for a
        gene that is in the list and else 0.

    Raises
    ------
    ValueError
        If the column is missing, or a list has none of the genes at all.

    Examples
    --------
    >>> table = pd.DataFrame({"gene_name": ["ACTB", "HBG1"]})
    >>> gene_list_overlap(table, {"housekeeping": ["ACTB", "GAPDH"]})["fraction"].tolist()
    [1.0, 0.0]
    """
    check_named(lists, "lists")
    check_columns(table, [column])
    genes = table[column].astype(str)
    n = np.zeros((len(table), len(lists)), dtype=np.int64)
    for k, (name, given) in enumerate(lists.items()):
        known = _gene_names(given)
        n[:, k] = genes.isin(known)
        if len(table) and not n[:, k].any():
            raise ValueError(
                f"list {name!r} must name genes as column {column!r} does; got {min(known, default='no gene')!r} and "
                f"others, and {genes.iloc[0]!r} at row 0, with none in common."
            )
    return one_row_each(table, "annotation", list(lists), {"fraction": n.astype(np.float64), "n_elements": n})


def overlap_by_group(
    table: pd.DataFrame,
    group: str = "cre",
    *,
    by: str | Sequence[str] = "annotation",
    min_fraction: float = 0.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many CREs of each group overlap an annotation, and how much of their bp does.

    For the table of `bed_overlap`, `gene_list_overlap` or `repeat_content`. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        `fraction`, the columns of groups and annotations, and where there are `start` and `end`.

    group: str, optional
        The column of groups. Rows where it or the fraction is missing are left out. Default is "cre".

    by: str or sequence of str, optional
        The columns of annotations. Default is "annotation".

    min_fraction: float, optional
        A CRE overlaps an annotation if more than this of it does. Default is 0.

    confidence: float, optional
        Default is 0.95.

    Returns
    -------
    summary: pandas.DataFrame
        One row an annotation and group, in order of appearance: `n`, `n_overlapping`, `percent` (of the CREs) with its
        Wilson interval `percent_low` and `percent_high`, and `percent_bp` (of all their bp, NaN without `start` and
        `end`).

    Raises
    ------
    ValueError
        If a column is missing, or an option is out of its range.

    Examples
    --------
    >>> table = pd.DataFrame({"cre": ["enhancer"] * 4, "annotation": "SINE", "fraction": [0.5, 0.0, 0.1, 0.0]})
    >>> overlap_by_group(table).round(1)[["annotation", "cre", "n", "n_overlapping", "percent", "percent_low"]]
      annotation       cre  n  n_overlapping  percent  percent_low
    0       SINE  enhancer  4              2     50.0         15.0
    """
    keys = [*([by] if isinstance(by, str) else by), group]
    check_columns(table, [*keys, "fraction"])
    if not 0 <= min_fraction < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"min_fraction must be in [0, 1) and confidence between 0 and 1; got {min_fraction}, {confidence}."
        )
    sized = {"start", "end"} <= set(table.columns)
    width = (table["end"] - table["start"]).to_numpy(dtype=np.float64) if sized else np.full(len(table), np.nan)
    parts = table.assign(_width=width, _bp=width * table["fraction"].to_numpy(dtype=np.float64))
    parts = parts[parts[group].notna() & parts["fraction"].notna()]
    rows = []
    for key, part in parts.groupby(keys, sort=False, observed=True, dropna=False):
        k, n = int((part["fraction"] > min_fraction).sum()), len(part)
        interval = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
        covered_bp = 100 * part["_bp"].sum() / part["_width"].sum() if sized else np.nan
        rows.append((*key, n, k, 100 * k / n, 100 * interval.low, 100 * interval.high, covered_bp))
    names = ["n", "n_overlapping", "percent", "percent_low", "percent_high", "percent_bp"]
    return pd.DataFrame(rows, columns=[*keys, *names])


def _elements(name: str, given: Path | pd.DataFrame) -> pd.DataFrame:
    if not isinstance(given, pd.DataFrame):
        return region_table(read_bed(given))
    try:
        return region_table(given)
    except ValueError as error:
        raise ValueError(f"annotation {name!r}: {error}") from error


def _gene_names(given: Path | Iterable[str]) -> set[str]:
    if not isinstance(given, (str, os.PathLike)):
        return {str(gene) for gene in given}
    with open_bytes(given) as file:
        lines = (line.decode(errors="replace").split("\t")[0].strip() for line in file)
        return {line for line in lines if line and not line.startswith("#")}
