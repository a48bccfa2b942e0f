"""Find overlaps of CREs with annotated elements, genes in lists, and the differences between groups."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ...sequence.genome import position_column, read_bed
from ...support import check_columns, shown, text_lines
from ._rows_per_label import rows_per_label
from .intervals import covered_bp, region_table

AnnotationFile = str | os.PathLike[str]


def bed_overlap(cres: pd.DataFrame, annotations: Mapping[str, AnnotationFile | pd.DataFrame]) -> pd.DataFrame:
    """Compute the fraction of each CRE that lies in annotated elements of BED files, for example in promoters.

    Through bioframe. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and any other columns. "chr1" and "1"
        name the same chromosome.

    annotations: mapping of str to path or pandas.DataFrame
        BED files, plain or gzipped, or tables of `chrom`, `start` and `end`, by their name in column `annotation`. An
        element of no length is the base at its start.

    Returns
    -------
    table: pandas.DataFrame
        One row per CRE and annotation, in their order: the columns of `cres`, then `annotation`, `fraction` (of the bp
        of the CRE that any element covers) and `n_elements` (that overlap the CRE).

    Raises
    ------
    ValueError
        If a column is missing, a row has no valid region, or an annotation has no chromosome of the CREs; the message
        names the file and the line, or the annotation and the row.

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
    tables = {name: _read_elements(name, source) for name, source in annotations.items()}
    for name, table in tables.items():
        check_chroms(table, regions, f"annotation {name!r}")
    return elements_over(cres, regions, tables)


def check_named(files: object, name: str) -> None:
    """Refuse files that are not in a mapping from names to files."""
    if not isinstance(files, Mapping):
        raise ValueError(
            f"{name} must be a mapping from a name to a file, {{'name': file}}; got {type(files).__name__}."
        )
    if any(not str(key).strip() for key in files):
        raise ValueError(f"{name} must have names that are not empty; got {list(files)[:5]!r}.")


def check_chroms(table: pd.DataFrame, regions: pd.DataFrame, name: str) -> None:
    """Refuse a table without any chromosome of the CREs; both must have plain names of chromosomes."""
    if len(table) and len(regions) and not regions["chrom"].isin(table["chrom"].unique()).any():
        got = f"{table['chrom'].iloc[0]!r}, and {regions['chrom'].iloc[0]!r} of the CREs"
        raise ValueError(
            f"{name} must have chromosomes of the CREs (written without 'chr'); got {got}, at row 0 of each."
        )


def elements_over(cres: pd.DataFrame, regions: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compute the table of `bed_overlap` for CREs and annotations that `region_table` has checked."""
    width = (regions["end"] - regions["start"]).to_numpy()
    fraction, n = np.zeros((len(cres), len(tables))), np.zeros((len(cres), len(tables)), dtype=np.int64)
    for k, table in enumerate(tables.values()):
        bp, n[:, k] = covered_bp(regions, table)
        fraction[:, k] = bp / width
    return rows_per_label(cres, "annotation", list(tables), {"fraction": fraction, "n_elements": n})


def gene_list_overlap(
    table: pd.DataFrame, lists: Mapping[str, AnnotationFile | Iterable[str]], *, column: str = "gene_name"
) -> pd.DataFrame:
    """Find the genes that are in a list, for example of housekeeping genes, as a table like that of `bed_overlap`.

    Paper: Results, "How much does distal context affect TSS activity?": 22% of the genes of neutral contexts, and 5%
    of the genes of other contexts, are housekeeping genes. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per gene, or per CRE of a gene.

    lists: mapping of str to iterable of str or path
        Genes, or a file with a gene in the first column of each line, by the name of the list in column `annotation`.

    column: str, optional
        Column of the genes, spelled as in the lists. Default is "gene_name".

    Returns
    -------
    table: pandas.DataFrame
        One row per row of `table` and list: the columns of `table`, then `annotation`, `fraction` and `n_elements`,
        both 1 for a gene in the list and else 0.

    Raises
    ------
    ValueError
        If the column is missing, or a list has none of the genes.

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
    for k, (name, source) in enumerate(lists.items()):
        listed = _read_genes(source)
        n[:, k] = genes.isin(listed)
        if len(table) and not n[:, k].any():
            raise ValueError(
                f"list {name!r} must name genes as column {column!r} does; got "
                f"{shown(min(listed, default='no gene'))} and others, and {shown(genes.iloc[0])} at row 0, with none "
                "in common."
            )
    return rows_per_label(table, "annotation", list(lists), {"fraction": n.astype(np.float64), "n_elements": n})


def overlap_by_group(
    table: pd.DataFrame,
    group: str = "cre",
    *,
    by: str | Sequence[str] = "annotation",
    min_fraction: float = 0.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compute the percentage of CREs of each group that overlap an annotation, and the percentage of their bp.

    For a table of `bed_overlap`, `gene_list_overlap` or `repeat_content`. Costs no forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        `fraction`, the columns of groups and annotations, and, for percentages of bp, `start` and `end`.

    group: str, optional
        Column of groups. Rows without a group or a fraction are left out. Default is "cre".

    by: str or sequence of str, optional
        Columns of annotations. Default is "annotation".

    min_fraction: float, optional
        A CRE overlaps an annotation if its `fraction` is larger than this. Default is 0.

    confidence: float, optional
        Confidence level of the interval. Default is 0.95.

    Returns
    -------
    summary: pandas.DataFrame
        One row per annotation and group, in order of appearance: `n`, `n_overlapping`, `percent` (of the CREs) with its
        Wilson interval `percent_low` and `percent_high`, and `percent_bp` (of the bp of all CREs, NaN without `start`
        and `end`).

    Raises
    ------
    ValueError
        If a column is missing, or an option is out of range.

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
    from scipy import stats  # takes long to import

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


def _read_elements(name: str, source: AnnotationFile | pd.DataFrame) -> pd.DataFrame:
    if not isinstance(source, pd.DataFrame):
        return region_table(read_bed(source))
    try:
        check_columns(source, ["chrom", "start", "end"])
        start = position_column(source, "start")  # an element of no length is one base, as in BED files
        end = position_column(source, "end")
        return region_table(source.assign(start=start, end=np.where(end == start, start + 1, end)))
    except ValueError as error:
        raise ValueError(f"annotation {name!r}: {error}") from error


def _read_genes(source: AnnotationFile | Iterable[str]) -> set[str]:
    if not isinstance(source, (str, os.PathLike)):
        return {str(gene) for gene in source}
    genes = (line.split("\t")[0].strip() for _, line in text_lines(source))
    return {gene for gene in genes if gene and not gene.startswith("#")}
