"""Write effects along the genome as bedGraph and bigWig."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from figwig import BigWigWriter

from ...sequence import check_count
from ...sequence.genome import chrom_column, match_chroms, number_column, region_columns
from ...support import check_columns, replace_file
from .browser_fields import CRE_COLORS, rgb, track_line, write_rows
from .stretches import Stretches, check_combine, disjoint


def write_bedgraph(
    effects: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    value: str,
    combine: str | None = None,
    name: str | None = None,
    description: str | None = None,
) -> Path:
    """Write effects of tiles along the genome as bedGraph.

    Format: https://genome.ucsc.edu/goldenPath/help/bedgraph.html. Values are written exactly; a float32 column is exact
    when it is read as float32. Rows are sorted by chromosome as text and start. The extension should be `.bedgraph`.

    Parameters
    ----------
    effects: pandas.DataFrame
        One row per tile: `chrom`, `start` and `end` (0-based, half-open, in bp of the genome) and the column `value`.

    path: str or path
        An existing file is replaced after the new file is complete.

    value: str
        Column of values. Rows with a NaN value are left out.

    combine: "mean", "extreme" or None, optional
        How to combine the values of tiles, for example of several genes or tracks, that cover the same base: their
        mean, or the value with the largest absolute value (of equals the positive one). Tiles are cut where others
        start and end; stretches with equal values are not merged. None refuses overlaps, which the format cannot hold.
        Default is None.

    name: str or None, optional
        Name of the track. None is `value`. Default is None.

    description: str or None, optional
        Description of the track. None is `name`. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        If a column is missing, a chromosome or position cannot be written, a value is infinite or not a number,
        `combine` is unknown, or tiles overlap and `combine` is None; the message gives the row, counted from 0, and the
        value.

    Examples
    --------
    >>> import tempfile
    >>> tiles = pd.DataFrame({"chrom": "chr1", "start": [0, 30], "end": [50, 80], "necessity": [0.1, -0.3]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_bedgraph(tiles, Path(folder) / "a.bedgraph", value="necessity", combine="extreme")
    ...     print("".join(path.read_text().splitlines(True)[1:]))
    chr1  0   30  0.1
    chr1  30  50  -0.3
    chr1  50  80  -0.3
    <BLANKLINE>
    """
    chrom, start, end, values = _stretches(effects, value, combine)
    kind = getattr(effects[value].dtype, "numpy_dtype", effects[value].dtype)  # the extension type Float32 has both
    written = values.astype(kind) if isinstance(kind, np.dtype) and kind.kind == "f" else values
    up, down = rgb(CRE_COLORS["enhancer"]), rgb(CRE_COLORS["silencer"])
    header = f"{track_line(value if name is None else name, description, 'bedGraph')} visibility=full"
    return write_rows(path, f"{header} color={up} altColor={down} alwaysZero=on", [chrom, start, end, written])


def write_bigwig(
    effects: pd.DataFrame,
    path: str | os.PathLike[str],
    chrom_sizes: Mapping[str, int] | pd.Series,
    *,
    value: str,
    combine: str | None = None,
) -> Path:
    """Write effects of tiles along the genome as bigWig, through figwig.

    Format: https://genome.ucsc.edu/goldenPath/help/bigWig.html. Values are rounded to float32; values of 0 are written
    too. The extension should be `.bw`.

    Parameters
    ----------
    effects: pandas.DataFrame
        As in `write_bedgraph`.

    path: str or path
        An existing file is replaced after the new file is complete.

    chrom_sizes: mapping of str to int, or pandas.Series
        Length in bp of every chromosome of the genome, which also sets the order and the names of the chromosomes in
        the file; "chr1" and "1" name the same chromosome.

    value: str
        Column of values. Rows with a NaN value are left out.

    combine: "mean", "extreme" or None, optional
        As in `write_bedgraph`. Default is None.

    Returns
    -------
    path: Path

    Raises
    ------
    ValueError
        As `write_bedgraph`, or if a tile leaves its chromosome or lies on one that is not in `chrom_sizes`, a length is
        below 1, a value is too large for float32, or all values are NaN: readers refuse a bigWig without values.

    Examples
    --------
    >>> import tempfile
    >>> from figwig import BigWigReader
    >>> tiles = pd.DataFrame({"chrom": "chr1", "start": [0, 50], "end": [50, 80], "necessity": [0.5, 0.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_bigwig(tiles, Path(folder) / "a.bw", {"chr1": 100}, value="necessity")
    ...     BigWigReader(path).read("chr1", [48], 4, missing=-1).tolist()
    [[0.5, 0.5, 0.0, 0.0]]
    """
    chrom, start, end, values = _stretches(effects, value, combine)
    sizes = {str(chromosome): size for chromosome, size in chrom_sizes.items()}
    for chromosome, size in sizes.items():
        check_count(f"chrom_sizes of {chromosome}", size)
    known = match_chroms(chrom_column(effects), sizes)
    for row, (chromosome, stop) in enumerate(zip(chrom_column(effects), region_columns(effects)[1])):
        if chromosome not in known:
            raise ValueError(f"chrom must be in chrom_sizes; got {chromosome!r} at row {row}.")
        size = sizes[known[chromosome]]
        if stop > size:
            raise ValueError(f"end must be at most {size} on {chromosome}; got {stop} at row {row}.")
    beyond = np.flatnonzero(np.abs(number_column(effects, value, missing=True)) > np.finfo(np.float32).max)
    if len(beyond):
        row = beyond[0]
        raise ValueError(f"{value} must be within float32; got {effects[value].iloc[row]} at row {row}.")
    if not len(values):
        raise ValueError(f"{value} must have a value that is not NaN for a bigWig; got {len(effects)} rows without.")

    def write(temporary: Path) -> None:
        with BigWigWriter(temporary, sizes, n_jobs=1) as writer:
            # By default, figwig would leave out zeros as missing values.
            writer.write([known[name] for name in chrom], start, values, ends=end, missing=np.nan)

    return replace_file(Path(path), write)


def _stretches(effects: pd.DataFrame, value: str, combine: str | None) -> Stretches:
    check_combine(combine)
    check_columns(effects, ["chrom", "start", "end", value])
    return disjoint(
        chrom_column(effects), *region_columns(effects), number_column(effects, value, missing=True), combine
    )
