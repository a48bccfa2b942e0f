"""Check tables of the effects of tiles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence.genome import plain_chrom
from ...support import check_columns
from .table import RowName, check_order, first_repeat, full_text, whole_numbers


def check_tiles(effects: pd.DataFrame, effect: str) -> pd.DataFrame:
    """Check tiles, and sort them by gene and start; a gene must have one TSS, and each tile once.

    Returns
    -------
    tiles: pandas.DataFrame
        `chrom`, `plain` (the chromosome without "chr"), `start`, `end`, `gene_name`, `tss` and `effect`.

    Raises
    ------
    ValueError
        As `compare_with_crispri`.

    Examples
    --------
    >>> tile = {"chrom": "chrX", "start": 0, "end": 5, "gene_name": "GATA1", "tss": 7, "necessity": 0.5}
    >>> check_tiles(pd.DataFrame([tile]), "necessity")[["plain", "effect"]].values.tolist()
    [['X', 0.5]]
    """
    check_columns(effects, ["chrom", "start", "end", "gene_name", "tss", effect], "effects")
    if not len(effects):
        raise ValueError("effects must have a tile; got no row.")

    def row_name(row: int) -> str:
        return f"row {effects.index[row]} of effects"

    start, end = (whole_numbers(effects[name], name, row_name, minimum=None) for name in ("start", "end"))
    check_order(start, end, row_name)
    values = pd.to_numeric(effects[effect], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(np.isinf(values) | (np.isnan(values) & effects[effect].notna().to_numpy()))
    if len(bad):
        raise ValueError(f"{effect} must be finite or NaN; got {effects[effect].iloc[bad[0]]} in {row_name(bad[0])}.")
    chrom = full_text(effects["chrom"], "chrom", row_name).reset_index(drop=True)
    gene = full_text(effects["gene_name"], "gene_name", row_name).reset_index(drop=True)
    tss = whole_numbers(effects["tss"], "tss", row_name)
    columns = {
        "chrom": chrom,
        "plain": chrom.map(plain_chrom),
        "start": start,
        "end": end,
        "gene_name": gene,
        "tss": tss,
    }
    tiles = pd.DataFrame(columns | {"tss": tss, "effect": values})
    _check_one_tss(tiles, row_name)
    repeat = first_repeat(tiles, ["gene_name", "start", "end"])
    if repeat:
        first, row = repeat
        raise ValueError(
            f"a gene must have each tile once in effects; got {gene[row]} [{start[row]}, {end[row]}) in "
            f"{row_name(first)} and in {row_name(row)}: keep the rows of one example and one track."
        )
    return tiles.sort_values(["gene_name", "start", "end"], ignore_index=True)


def _check_one_tss(tiles: pd.DataFrame, row_name: RowName) -> None:
    firsts = tiles.drop_duplicates("gene_name")
    first = pd.Series(firsts.index, index=firsts["gene_name"]).loc[tiles["gene_name"]].to_numpy()
    plain, tss = (tiles[name].to_numpy() for name in ("plain", "tss"))
    other = np.flatnonzero((plain != plain[first]) | (tss != tss[first]))
    if len(other):
        row = int(other[0])
        got = [f"{tiles['chrom'][i]}:{tss[i]} in {row_name(i)}" for i in (int(first[row]), row)]
        raise ValueError(
            f"a gene must have one TSS in effects; got {tiles['gene_name'][row]} at {got[0]} and at {got[1]}: keep the "
            "rows of one TSS."
        )
