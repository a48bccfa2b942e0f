"""Elements that were tested for a gene, and the effects of the tiles of that gene that they overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence.genome import plain_chrom
from ...support import check_columns
from .table import Where, check_order, full_text, whole_numbers

AGGREGATES = ("max", "mean", "extreme")


def checked_tiles(effects: pd.DataFrame, effect: str) -> pd.DataFrame:
    """The tiles in order of gene and place, of which each gene has one TSS and each tile once.

    Returns
    -------
    tiles: pandas.DataFrame
        `chrom`, `plain` (the same without "chr"), `start`, `end`, `gene_name`, `tss` and `effect`.

    Raises
    ------
    ValueError
        As `compare_with_crispri`.

    Examples
    --------
    >>> one = {"chrom": "chrX", "start": 0, "end": 5, "gene_name": "GATA1", "tss": 7, "necessity": 0.5}
    >>> checked_tiles(pd.DataFrame([one]), "necessity")[["plain", "effect"]].values.tolist()
    [['X', 0.5]]
    """
    check_columns(effects, ["chrom", "start", "end", "gene_name", "tss", effect], "effects")
    if not len(effects):
        raise ValueError("effects must have a tile; got no row.")

    def where(row: int) -> str:
        return f"row {effects.index[row]} of effects"

    start, end = (whole_numbers(effects[name], name, where, minimum=None) for name in ("start", "end"))
    check_order(start, end, where)
    values = pd.to_numeric(effects[effect], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(np.isinf(values) | (np.isnan(values) & effects[effect].notna().to_numpy()))
    if len(bad):
        raise ValueError(f"{effect} must be finite or NaN; got {effects[effect].iloc[bad[0]]} in {where(bad[0])}.")
    chrom = full_text(effects["chrom"], "chrom", where).reset_index(drop=True)
    gene = full_text(effects["gene_name"], "gene_name", where).reset_index(drop=True)
    tss = whole_numbers(effects["tss"], "tss", where)
    columns = {"chrom": chrom, "plain": _plain(chrom), "start": start, "end": end, "gene_name": gene, "tss": tss}
    tiles = pd.DataFrame(columns | {"effect": values})
    _check_one_tss(tiles, where)
    repeated = _repeated(tiles, ["gene_name", "start", "end"])
    if repeated:
        one, row = repeated
        raise ValueError(
            f"a gene must have each tile once in effects; got {gene[row]} [{start[row]}, {end[row]}) in {where(one)} "
            f"and in {where(row)}: keep the rows of one example and one track."
        )
    return tiles.sort_values(["gene_name", "start", "end"], ignore_index=True)


def rows_that_count(rows: pd.DataFrame, cell_type: str | None) -> tuple[pd.DataFrame, dict[str, int]]:
    """The pairs of one kind of cell, or of all, that are valid and known, and how many are not.

    Examples
    --------
    >>> from tangermeme_creme.analysis.crispri.table import load_crispri
    >>> one = {"chrom": "chrX", "start": 5, "end": 9, "measuredGeneSymbol": "GATA1", "Regulated": True}
    >>> rows, _ = load_crispri(pd.DataFrame([one, one | {"Regulated": None}]))
    >>> kept, counts = rows_that_count(rows, None)
    >>> kept["regulated"].tolist(), counts
    ([True], {'n_invalid': 0, 'n_unknown': 1})
    """
    if cell_type is not None:
        check_columns(rows, ["CellType"], "table")
        here = rows["CellType"] == cell_type
        if not here.any():
            there = ", ".join(map(repr, sorted(rows["CellType"].dropna().unique())))
            raise ValueError(f"cell_type must be one of {there or 'none'}; got {cell_type!r}.")
        rows = rows[here]
    valid = np.ones(len(rows), dtype=bool)
    if "ValidConnection" in rows:
        valid = rows["ValidConnection"].fillna("").str.upper().eq("TRUE").to_numpy()
    known = rows["Regulated"].notna().to_numpy()
    counts = {"n_invalid": int((~valid).sum()), "n_unknown": int((valid & ~known).sum())}
    kept = rows[valid & known]
    if not len(kept):
        raise ValueError(
            f"table must have a pair that is a valid connection and whose Regulated is known; got none in {len(rows)} "
            f"rows: {counts['n_invalid']} invalid, {counts['n_unknown']} unknown."
        )
    names = {"measuredGeneSymbol": "gene_name", "Regulated": "regulated", "EffectSize": "effect_size"}
    kept = kept.assign(EffectSize=kept.get("EffectSize", np.nan))[["chrom", "start", "end", *names]]
    return kept.rename(columns=names).astype({"regulated": bool}), counts


def pairs_of_genes(rows: pd.DataFrame, tiles: pd.DataFrame, where: Where) -> pd.DataFrame:
    """The pairs whose gene has tiles, with the TSS of the gene and their distance from it.

    Parameters
    ----------
    rows, tiles: pandas.DataFrame
        From `rows_that_count` and `checked_tiles`.

    where: callable
        From the label of a row to words for an error.

    Returns
    -------
    pairs: pandas.DataFrame
        With `plain`, the chromosome without "chr", `chrom` as the tiles spell it, and `distance` in bp from the base at
        the centre; NaN where the gene is on another chromosome.

    Raises
    ------
    ValueError
        If there is no chromosome or gene in common, or a pair occurs twice.

    Examples
    --------
    >>> one = {"chrom": "chrX", "start": 0, "end": 5, "gene_name": "GATA1", "tss": 700, "necessity": 0.5}
    >>> tiles = checked_tiles(pd.DataFrame([one]), "necessity")
    >>> rows = pd.DataFrame([{"chrom": "X", "start": 100, "end": 600, "gene_name": "GATA1", "regulated": True}])
    >>> pairs_of_genes(rows, tiles, str)[["chrom", "distance"]].values.tolist()
    [['chrX', 350.0]]
    """
    rows = rows.assign(plain=_plain(rows["chrom"]))
    if not rows["plain"].isin(tiles["plain"]).any():
        raise ValueError(
            "effects and table must have a chromosome in common ('chr1' and '1' mean the same); got "
            f"{_first(tiles['chrom'])} in effects and {_first(rows['chrom'])} in table."
        )
    here = rows["gene_name"].isin(tiles["gene_name"])
    if not here.any():
        raise ValueError(
            f"effects and table must have a gene in common; got {_first(tiles['gene_name'])} in effects and "
            f"{_first(rows['gene_name'])} in table."
        )
    rows = rows[here]
    repeated = _repeated(rows, ["plain", "start", "end", "gene_name"])
    if repeated:
        one, row = repeated
        pair = rows.loc[row]
        raise ValueError(
            f"table must have each pair once; got {pair['chrom']}:{pair['start']}-{pair['end']} with "
            f"{pair['gene_name']} in {where(one)} and in {where(row)}: filter by CellType (cell_type=...) or Dataset."
        )
    genes = tiles.drop_duplicates("gene_name").set_index("gene_name").loc[rows["gene_name"]]
    distance = np.abs((rows["start"] + rows["end"]).to_numpy() // 2 - genes["tss"].to_numpy()).astype(np.float64)
    distance[genes["plain"].to_numpy() != rows["plain"].to_numpy()] = np.nan
    return rows.assign(chrom=genes["chrom"].to_numpy(), distance=distance)


def score_pairs(pairs: pd.DataFrame, tiles: pd.DataFrame, aggregate: str) -> pd.DataFrame:
    """The pairs with `score`, from the tiles with an effect that each overlaps, and `n_tiles`, how many these are.

    Examples
    --------
    >>> where = {"gene_name": "A", "start": [0, 10], "end": [10, 20]}
    >>> tiles = pd.DataFrame(where | {"effect": [0.5, -1.0]})
    >>> pairs = pd.DataFrame({"gene_name": "A", "start": [6, 90], "end": [16, 95], "distance": [30.0, 100.0]})
    >>> [score_pairs(pairs, tiles, by)["score"].round(9).tolist() for by in AGGREGATES]
    [[0.5, nan], [-0.4, nan], [-1.0, nan]]
    """
    score, n_tiles = np.full(len(pairs), np.nan), np.zeros(len(pairs), dtype=np.int64)
    one_chrom = pairs["distance"].notna().to_numpy()
    places = pairs.groupby("gene_name").indices
    for gene, own in tiles[tiles["effect"].notna()].groupby("gene_name"):
        place = places.get(gene, np.zeros(0, dtype=np.int64))
        place = place[one_chrom[place]]
        start, end = (pairs[column].to_numpy()[place, None] for column in ("start", "end"))
        bp = np.minimum(end, own["end"].to_numpy()) - np.maximum(start, own["start"].to_numpy())
        n_tiles[place] = (bp > 0).sum(axis=1)
        over = n_tiles[place] > 0
        score[place[over]] = _aggregated(own["effect"].to_numpy(), bp[over].clip(0), aggregate)
    return pairs.assign(score=score, n_tiles=n_tiles)


def _aggregated(effect: np.ndarray, bp: np.ndarray, aggregate: str) -> np.ndarray:
    """One effect an element, from those of T tiles of which it overlaps `bp`, shape (E, T), and at least one."""
    largest = np.where(bp > 0, effect, -np.inf).max(axis=1)
    if aggregate == "max":
        return largest
    smallest = np.where(bp > 0, effect, np.inf).min(axis=1)
    if aggregate == "mean":  # from the smallest up, so that elements of one tile are tied whatever their width
        share = bp / bp.sum(axis=1, keepdims=True)
        return smallest + (share * (effect - smallest[:, None])).sum(axis=1)
    return np.where(largest >= -smallest, largest, smallest)


def _check_one_tss(tiles: pd.DataFrame, where: Where) -> None:
    firsts = tiles.drop_duplicates("gene_name")
    first = pd.Series(firsts.index, index=firsts["gene_name"]).loc[tiles["gene_name"]].to_numpy()
    plain, tss = (tiles[name].to_numpy() for name in ("plain", "tss"))
    other = np.flatnonzero((plain != plain[first]) | (tss != tss[first]))
    if len(other):
        row = int(other[0])
        got = [f"{tiles['chrom'][i]}:{tss[i]} in {where(i)}" for i in (int(first[row]), row)]
        raise ValueError(
            f"a gene must have one TSS in effects; got {tiles['gene_name'][row]} at {got[0]} and at {got[1]}: keep the "
            "rows of one TSS."
        )


def _repeated(table: pd.DataFrame, columns: list[str]) -> tuple[int, int] | None:
    """The labels of the first row that repeats an earlier one in these columns, the earlier one first."""
    again = table.duplicated(columns)
    if not again.any():
        return None
    row = again.idxmax()
    return int((table[columns] == table.loc[row, columns]).all(axis=1).idxmax()), int(row)


def _plain(chroms: pd.Series) -> pd.Series:
    return chroms.map(plain_chrom)


def _first(names: pd.Series) -> str:
    return ", ".join(map(repr, names.dropna().unique()[:3])) or "none"
