"""Read the signal of bigWig tracks over CREs, and compare groups of CREs by it."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from figwig import BigWigReader
from tqdm import tqdm

from ...sequence.genome import match_chroms
from ...support import check_columns, warn
from ..stats import compare_groups
from ..values import as_float
from ._rows_per_label import rows_per_label
from .intervals import region_table
from .overlaps import check_named

TrackFile = str | os.PathLike[str]

_VALUES = 2**24  # values of one track in memory at a time


def bigwig_signal(
    cres: pd.DataFrame,
    tracks: Mapping[str, TrackFile],
    *,
    gaps: float | None = None,
    sizes: Mapping[str, int] | pd.Series | None = None,
    verbose: bool = False,
) -> pd.DataFrame:
    """Compute the mean and the maximum of bigWig tracks over each CRE.

    Paper: Methods, "Biochemical characterization of CREs": the mean of epigenetic marks over the 5 kb of a CRE and the
    maximum of TF ChIP-seq, the values behind Fig. 2e-g. Read through figwig. Costs no forward pass.

    Parameters
    ----------
    cres: pandas.DataFrame
        `chrom`, `start` and `end` (0-based, half-open, in bp of the genome), and any other columns. "chr1" and "1"
        name the same chromosome.

    tracks: mapping of str to path
        Local bigWig files, by their name in column `signal`.

    gaps: float or None, optional
        Value of bases without a value in the file, for example 0 for tracks that leave out uncovered bases. With None,
        these bases count in neither the mean nor the maximum. Default is None.

    sizes: mapping of str to int, Series or None, optional
        Lengths of the chromosomes in bp, from `chrom_sizes`; the tracks must have the same lengths. None does not
        check the lengths. Default is None.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    table: pandas.DataFrame
        One row per CRE and track, in their order: the columns of `cres`, then `signal`, `mean`, `max` and `missing_bp`
        (number of bases without a value). If no base has a value, for example on a chromosome that is not in the file,
        `mean` and `max` are NaN, or `gaps`. A warning gives the number of CREs on chromosomes that are not in the file.

    Raises
    ------
    ValueError
        If a column is missing, a row has no valid region, a file is not a bigWig or has no chromosome of the CREs, or
        a file belongs to another genome: a CRE ends past its chromosome, or a length differs from `sizes`. The message
        names the file.

    Examples
    --------
    >>> import tempfile
    >>> from figwig import write_bigwig
    >>> cres = pd.DataFrame({"chrom": ["1"], "start": [2], "end": [6]})
    >>> with tempfile.NamedTemporaryFile(suffix=".bw") as file:
    ...     write_bigwig(file.name, {"chr1": 100}, ["chr1"], [0], [[0.5, 1.0, 2.0, 4.0]])
    ...     bigwig_signal(cres, {"H3K27ac": file.name})
      chrom  start  end   signal  mean  max  missing_bp
    0     1      2    6  H3K27ac   3.0  4.0           2
    """
    check_named(tracks, "tracks")
    regions = region_table(cres)
    if not tracks:
        raise ValueError("tracks must have at least one file; got none.")
    lengths = {str(name): int(size) for name, size in (() if sizes is None else sizes.items())}
    values = np.full((len(regions), len(tracks), 3), np.nan)
    bar = tqdm(tracks.items(), desc="bigwig_signal", unit="track", disable=not verbose)
    for k, (name, path) in enumerate(bar):
        values[:, k] = _signal_of_track(regions, name, os.fspath(path), gaps, lengths)
    columns = {"mean": values[:, :, 0], "max": values[:, :, 1], "missing_bp": values[:, :, 2].astype(np.int64)}
    return rows_per_label(cres, "signal", list(tracks), columns)


def signal_enrichment(
    table: pd.DataFrame,
    value: str,
    group: str = "cre",
    *,
    pairs: Sequence[tuple[Any, Any]] | None = None,
    by: str | Sequence[str] = "signal",
    pseudocount: float = 0.0,
) -> pd.DataFrame:
    """Compare groups of CREs, track by track, by Mann-Whitney U tests and log fold enrichment.

    Paper: Fig. 2e-g and Supplementary Figs. 8-10: enhancers, silencers and neutral tiles by the mean of a mark, and
    enhancers against silencers by the maximum of each TF, corrected by Bonferroni for the number of tests. Costs no
    forward pass.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per CRE and track, as from `bigwig_signal`, with the group of each CRE.

    value: str
        Column to compare, "mean" or "max".

    group: str, optional
        Column of groups. Rows without a group are left out. Default is "cre".

    pairs: sequence of (group, group) or None, optional
        Pairs of groups to compare, the first over the second. None is all pairs. Default is None.

    by: str or sequence of str, optional
        Columns that divide the rows into strata; groups are compared within each stratum. Default is "signal".

    pseudocount: float, optional
        Number that is added to both means before their ratio is computed. Default is 0.

    Returns
    -------
    tests: pandas.DataFrame
        The table of `compare_groups`, two-sided tests with `p`, `p_bonferroni` and `p_bh` over all rows, and `mean_1`,
        `mean_2` and `log2_fold`, the log2 of the first mean over the second. If a mean is not above 0, `log2_fold` is
        NaN, and a warning gives the number of these tests.

    Raises
    ------
    ValueError
        As `compare_groups`, or if `pseudocount` is below 0.

    Examples
    --------
    >>> table = pd.DataFrame({"cre": ["enhancer"] * 3 + ["silencer"] * 3, "max": [4.0, 8, 6, 1, 2, 3]})
    >>> tests = signal_enrichment(table.assign(signal="CTCF"), "max")
    >>> tests[["signal", "group_1", "group_2", "mean_1", "mean_2", "log2_fold", "p"]].round(3)
      signal   group_1   group_2  mean_1  mean_2  log2_fold    p
    0   CTCF  enhancer  silencer     6.0     2.0      1.585  0.1
    """
    if not pseudocount >= 0:
        raise ValueError(f"pseudocount must be 0 or more; got {pseudocount}.")
    strata = [by] if isinstance(by, str) else list(by)
    check_columns(table, [value, group, *strata])
    tests = compare_groups(table, value, group, pairs=pairs, by=strata)
    numbers = table.assign(**{value: as_float(table[value], value)})
    means = numbers.groupby([*strata, group], dropna=False, observed=True)[value].mean()
    for k in ("1", "2"):
        named = means.rename(f"mean_{k}").reset_index().rename(columns={group: f"group_{k}"})
        tests = tests.merge(named, on=[*strata, f"group_{k}"], how="left", sort=False)
    first, second = (tests[f"mean_{k}"].to_numpy(dtype=np.float64) + pseudocount for k in ("1", "2"))
    defined = (first > 0) & (second > 0)
    tests["log2_fold"] = np.log2(np.where(defined, first, np.nan)) - np.log2(np.where(defined, second, np.nan))
    undefined = int((~defined & ~np.isnan(first) & ~np.isnan(second)).sum())
    if undefined:
        warn(f"log2_fold is undefined for {undefined} of {len(tests)} tests, where a mean is not above 0: NaN.")
    return tests


def _signal_of_track(
    regions: pd.DataFrame, name: str, path: str, gaps: float | None, sizes: Mapping[str, int]
) -> np.ndarray:
    """Compute the mean, the maximum and the number of bases without a value of each region, shape (N, 3)."""
    start, end = (regions[column].to_numpy(dtype=np.int64) for column in ("start", "end"))
    reader, chrom = _open_track(regions, name, path, sizes)
    signal = np.stack([np.full(len(regions), np.nan)] * 2 + [(end - start).astype(np.float64)], axis=1)
    in_file = np.array([known is not None for known in chrom], dtype=bool)
    for width in np.unique((end - start)[in_file]):
        rows = np.flatnonzero(in_file & (end - start == width))
        step = max(1, _VALUES // int(width))
        for chunk in (rows[i : i + step] for i in range(0, len(rows), step)):
            try:
                values = reader.read([chrom[i] for i in chunk], start[chunk], int(width), missing=np.nan)
            except (ValueError, OSError) as error:
                raise ValueError(f"track {name!r} must be a whole bigWig file; got {path}: {error}") from error
            known = ~np.isnan(values)
            n = known.sum(1)
            with np.errstate(invalid="ignore"):
                mean = np.where(known, values, 0).sum(1, dtype=np.float64) / np.where(n, n, np.nan)
            highest = np.where(n, np.where(known, values, -np.inf).max(1), np.nan)
            signal[chunk] = np.stack([mean, highest, width - n], axis=1)
    return signal if gaps is None else _fill_gaps(signal, (end - start).astype(np.float64), gaps)


def _fill_gaps(signal: np.ndarray, width: np.ndarray, gaps: float) -> np.ndarray:
    mean, highest, missing = signal.T
    mean = (np.nan_to_num(mean) * (width - missing) + gaps * missing) / width
    highest = np.where(missing > 0, np.fmax(highest, gaps), highest)
    return np.stack([mean, highest, missing], axis=1)


def _open_track(
    regions: pd.DataFrame, name: str, path: str, sizes: Mapping[str, int]
) -> tuple[BigWigReader, list[str | None]]:
    """Open a bigWig file, and find its name for the chromosome of each region; None if it lacks the chromosome."""
    try:
        reader = BigWigReader(path)
    except (ValueError, struct.error) as error:
        raise ValueError(f"track {name!r} must be a bigWig file; got {path}: {error}") from error
    known = reader.chrom_sizes
    for in_sizes, in_file in match_chroms(sizes, known).items():
        if sizes[in_sizes] != known[in_file]:
            raise ValueError(
                f"track {name!r} must be of the same genome; got {known[in_file]} bp of {in_file} in {path}, and "
                f"{sizes[in_sizes]} bp of {in_sizes} in sizes."
            )
    names = match_chroms(regions["chrom"], known)
    chrom = [names.get(plain) for plain in regions["chrom"]]
    absent = [i for i, match in enumerate(chrom) if match is None]
    if absent and len(absent) == len(chrom):
        got = f"{', '.join(list(known)[:4])} in {path}, and {regions['chrom'].iloc[0]!r} at row 0"
        raise ValueError(f"track {name!r} must have chromosomes of the CREs (written without 'chr'); got {got}.")
    for i, (match, end) in enumerate(zip(chrom, regions["end"])):
        if match is not None and end > known[match]:
            raise ValueError(
                f"track {name!r} must be of the same genome; got {path}, of which {match} has {known[match]} bp, and a "
                f"CRE that ends at {end} at row {i}."
            )
    if absent:
        got = ", ".join(sorted({regions["chrom"].iloc[i] for i in absent})[:4])
        warn(f"{len(absent)} of {len(chrom)} CREs are on chromosomes that {name!r} does not have ({got}): no values.")
    return reader, chrom
