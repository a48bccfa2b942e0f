"""Convert tiles of windows to regions of the genome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...support import check_columns, shown, warn
from ..counts import check_choice, check_count
from ..spans import Spans, check_spans
from ..tiles import check_center, spans_to_genome, tile_grid
from .chroms import match_chroms
from .loci import check_loci, tss_positions

_OTHER_STRAND = {"+": "-", "-": "+"}


def tiles_to_genome(
    tiles: Spans | pd.DataFrame,
    loci: pd.DataFrame,
    length: int,
    *,
    center: int | None = None,
    pairs: str = "all",
    sizes: Mapping[str, int] | pd.Series | None = None,
) -> pd.DataFrame:
    """Find the genomic region of each tile of a window.

    The sequence of the genomic region, reverse-complemented on '-', is the sequence of the tile. Costs no forward pass.

    Parameters
    ----------
    tiles: shape=(T, 2), or pandas.DataFrame
        0-based half-open spans in bp of the windows. A table, for example from `to_frame`, has the spans in `start` and
        `end`, or for pairs in `start_1`, `end_1`, `start_2` and `end_2`, and in `example` the index of the row of
        `loci`.

    loci: pandas.DataFrame
        `chrom`, `tss` (0-based base) and `strand`, one row per window. Its index names the examples: 0 to N - 1 in
        order, as `to_frame` numbers them, or the names that `to_frame` took as `ids`.

    length: int
        Length of the windows in bp.

    center: int or None, optional
        Index of the TSS in the windows, as in `extract_windows`. None is ``length // 2``. Default is None.

    pairs: "all" or "matched", optional
        With "all", every locus has all spans; with "matched", span i belongs to locus i. Default is "all".

    sizes: mapping of str to int, Series or None, optional
        Lengths of chromosomes, from `chrom_sizes`. With `sizes`, spans are cut off at the ends of their chromosome, and
        spans that lie wholly in the padding are left out; a warning gives their number. With None, spans may leave the
        chromosome, also below 0. Default is None.

    Returns
    -------
    table: pandas.DataFrame
        `chrom`, `start`, `end` (genomic, 0-based, half-open) and `strand` (of the gene), then `tss` and, if `loci` has
        them, `gene_name` and `gene_id`; `example`, `tile` (only for spans), `tile_start` and `tile_end` (in bp of the
        window), and the other columns of the table. If the table has a column `strand`, for example of motif hits,
        `strand` is the strand of the hit in the genome and `tile_strand` its strand in the window.

    Raises
    ------
    ValueError
        If a span leaves the window, the tiles are the grid of a window of another length, an example is missing or
        repeated in the index of `loci`, a column is missing, the index has integers other than 0 to N - 1 in order, the
        table is in bp of the genome already, or a TSS lies past the end of its chromosome in `sizes`. The message names
        the value.

    Examples
    --------
    >>> loci = pd.DataFrame({"chrom": ["chr1", "chr2"], "tss": [1000, 1000], "strand": ["+", "-"]}, index=["A", "B"])
    >>> tiles_to_genome([(0, 10), (50, 60)], loci, 100)[["chrom", "start", "end", "strand", "example", "tile"]]
      chrom  start   end strand example  tile
    0  chr1    950   960      +       A     0
    1  chr1   1000  1010      +       A     1
    2  chr2   1041  1051      -       B     0
    3  chr2    991  1001      -       B     1
    """
    check_count("length", length)
    center = check_center(center, length)
    check_loci(loci)
    _check_index(loci.index)
    if not isinstance(tiles, pd.DataFrame):
        tiles = _rows_of_spans(check_spans(tiles, length).numpy(), loci, pairs)
    ends = [suffix for suffix in ("", "_1", "_2") if f"start{suffix}" in tiles and f"end{suffix}" in tiles]
    check_columns(tiles, ["example", *([] if ends else ["start", "end"])], "tiles")
    if f"tile_start{ends[0]}" in tiles:
        raise ValueError(
            f"tiles must be in bp of windows; got column 'tile_start{ends[0]}': they are in the genome already."
        )
    rows = loci.index.get_indexer(tiles["example"])
    if (rows < 0).any():
        i = int((rows < 0).argmax())
        raise ValueError(f"examples must be in the index of loci; got {shown(tiles['example'].iloc[i])} at row {i}.")
    place, rest = loci.iloc[rows].reset_index(drop=True), tiles.reset_index(drop=True)
    tss, strand = tss_positions(loci)[rows], place["strand"].to_numpy(dtype=object)
    genomic: dict[str, Any] = {"chrom": place["chrom"]}
    local: dict[str, Any] = {}
    for suffix in ends:
        spans = np.stack([_whole_bp(tiles[f"{part}{suffix}"], f"{part}{suffix}") for part in ("start", "end")], axis=1)
        if len(spans):
            check_spans(spans, length)
            _refuse_other_grid(spans, length, center)
        starts, stops = spans_to_genome(spans[:, 0], spans[:, 1], tss=tss, strand=strand, length=length, center=center)
        genomic |= {f"start{suffix}": starts, f"end{suffix}": stops}
        local |= {f"tile_start{suffix}": spans[:, 0], f"tile_end{suffix}": spans[:, 1]}
    if "strand" in rest:
        local["tile_strand"] = rest["strand"]
        on_genome = [_OTHER_STRAND.get(hit, hit) if gene == "-" else hit for hit, gene in zip(rest["strand"], strand)]
        strand = np.array(on_genome, dtype=object)
    names = {name: place[name] for name in ("gene_name", "gene_id") if name in place and name not in rest}
    rest = rest.drop(columns=[name for name in (*genomic, "strand", "tss") if name in rest])
    first = {name: rest.pop(name) for name in ("gene_name", "gene_id", "example", "tile") if name in rest}
    table = pd.concat([pd.DataFrame(genomic | {"strand": strand, "tss": tss} | names | first | local), rest], axis=1)
    if sizes is None:
        return table
    return _cut_at_chromosomes(table, {str(name): int(size) for name, size in sizes.items()}, ends)


def _check_index(index: pd.Index) -> None:
    if index.has_duplicates:
        raise ValueError(f"the index of loci must name each locus once; got {index[index.duplicated()][0]!r} twice.")
    if pd.api.types.is_integer_dtype(index.dtype) and index.tolist() != list(range(len(index))):
        i = next(i for i, label in enumerate(index) if label != i)
        raise ValueError(
            "the index of loci must be 0 to N - 1 in order, as tests number their examples, or names; got "
            f"{index.tolist()[i]} at row {i}: reset_index(drop=True), or set_index to a column of names."
        )


def _refuse_other_grid(spans: np.ndarray, length: int, center: int) -> None:
    """Refuse tiles that are all those of `tile_grid` for windows of another length: they would lie beside their place.

    Part of a grid, or tiles of one's own, may belong to any window.
    """
    tiles = pd.DataFrame(spans).drop_duplicates().sort_values([0, 1]).to_numpy()
    size = int(tiles[0, 1] - tiles[0, 0])
    gaps = np.flatnonzero(np.diff(tiles[:, 0]) == 2 * size)  # the TSS tile is between two tiles
    if len(gaps) != 1 or (tiles[:, 1] - tiles[:, 0] != size).any():
        return
    middle = int(tiles[gaps[0], 1]) + size // 2
    if middle == center or set(map(tuple, tiles.tolist())) <= _grid(length, size, center):
        return
    for other in (2 * middle, 2 * middle + 1):
        if set(map(tuple, tiles.tolist())) == _grid(other, size, middle):
            raise ValueError(
                f"tiles must be those of windows of {length} bp with the TSS at {center}; got {len(tiles)} tiles of "
                f"{size} bp around [{middle - size // 2}, {middle - size // 2 + size}), the grid of windows of {other} "
                f"bp: give length={other}, or center={middle} if the TSS is there."
            )


def _grid(length: int, size: int, center: int) -> set[tuple[int, ...]]:
    inside = 0 <= center - size // 2 <= length - size
    return set(map(tuple, tile_grid(length, size, center).context.tolist())) if inside else set()


def _whole_bp(values: pd.Series, name: str) -> np.ndarray:
    """Return positions as int64, whatever their dtype; refuse fractions and missing values."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~(numbers == np.floor(numbers)))
    if len(bad):
        raise ValueError(f"{name} must be whole bp; got {shown(values.iloc[bad[0]])} at row {bad[0]}.")
    return numbers.astype(np.int64)


def _rows_of_spans(spans: np.ndarray, loci: pd.DataFrame, pairs: str) -> pd.DataFrame:
    check_choice("pairs", pairs, "all", "matched")
    n, index = len(loci), loci.index
    if pairs == "matched":
        spans = spans.repeat(n, axis=0) if len(spans) == 1 else spans
        if len(spans) != n:
            raise ValueError(f"matched tiles must be one per locus ({n}), or one for all; got {len(spans)}.")
        columns = {"example": index, "tile": 0, "start": spans[:, 0], "end": spans[:, 1]}
    else:
        tile = np.tile(np.arange(len(spans)), n)
        starts, ends = spans[tile].T
        columns = {"example": index.repeat(len(spans)), "tile": tile, "start": starts, "end": ends}
    return pd.DataFrame(columns, index=range(len(columns["start"])))


def _cut_at_chromosomes(table: pd.DataFrame, sizes: dict[str, int], ends: list[str]) -> pd.DataFrame:
    names = match_chroms(table["chrom"], sizes)
    known = table["chrom"].astype(str).map({name: sizes[known] for name, known in names.items()})
    if known.isna().any():
        i = int(known.isna().argmax())
        raise ValueError(f"sizes must have each chromosome of loci; got {shown(table['chrom'].iloc[i])} at row {i}.")
    size = known.to_numpy(dtype=np.int64)
    past = (table["tss"] >= size).to_numpy()
    if past.any():
        i = int(past.argmax())
        got = f"{table['tss'].iloc[i]} on {table['chrom'].iloc[i]} of {size[i]} bp"
        raise ValueError(f"a TSS must lie on its chromosome; got {got} at row {i}: are sizes of another assembly?")
    cut = {f"{part}{suffix}": table[f"{part}{suffix}"].clip(0, size) for suffix in ends for part in ("start", "end")}
    on_chrom = np.logical_and.reduce([(cut[f"start{suffix}"] < cut[f"end{suffix}"]).to_numpy() for suffix in ends])
    if not on_chrom.all():
        got = f"{(~on_chrom).sum()} of {len(on_chrom)}"
        warn(f"{got} tiles lie wholly off their chromosome, in padding, and are left out.")
    return table.assign(**cut)[on_chrom].reset_index(drop=True)
