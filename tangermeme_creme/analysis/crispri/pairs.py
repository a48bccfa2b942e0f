"""Select the tested element-gene pairs, and score them by the effects of overlapping tiles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...sequence.genome import plain_chrom
from ...support import shown
from .table import RowName, first_repeat

AGGREGATES = ("max", "mean", "extreme")


def select_pairs(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Select the valid pairs with a known result, and count the invalid and unknown ones.

    Examples
    --------
    >>> from tangermeme_creme.analysis.crispri.table import load_crispri
    >>> one = {"chrom": "chrX", "start": 5, "end": 9, "measuredGeneSymbol": "GATA1", "Regulated": True}
    >>> rows, _ = load_crispri(pd.DataFrame([one, one | {"Regulated": None}]))
    >>> pairs, counts = select_pairs(rows)
    >>> pairs["regulated"].tolist(), counts
    ([True], {'n_invalid': 0, 'n_unknown': 1})
    """
    valid = np.ones(len(rows), dtype=bool)
    if "ValidConnection" in rows:
        valid = rows["ValidConnection"].fillna("").str.upper().eq("TRUE").to_numpy()
    known = rows["Regulated"].notna().to_numpy()
    counts = {"n_invalid": int((~valid).sum()), "n_unknown": int((valid & ~known).sum())}
    pairs = rows[valid & known]
    if not len(pairs):
        raise ValueError(
            f"table must have a pair that is a valid connection and whose Regulated is known; got none in {len(rows)} "
            f"rows: {counts['n_invalid']} invalid, {counts['n_unknown']} unknown."
        )
    names = {"measuredGeneSymbol": "gene_name", "Regulated": "regulated", "EffectSize": "effect_size"}
    pairs = pairs.assign(EffectSize=pairs.get("EffectSize", np.nan))[["chrom", "start", "end", *names]]
    return pairs.rename(columns=names).astype({"regulated": bool}), counts


def match_genes(rows: pd.DataFrame, tiles: pd.DataFrame, row_name: RowName) -> pd.DataFrame:
    """Select the pairs whose gene has tiles, and add their distance from the TSS of the gene.

    Parameters
    ----------
    rows, tiles: pandas.DataFrame
        Tables from `select_pairs` and `check_tiles`.

    row_name: callable
        Function from the label of a row to words for errors.

    Returns
    -------
    pairs: pandas.DataFrame
        Has `plain` (the chromosome without "chr"), `chrom` as in `tiles`, and `distance` in bp from the base at the
        centre of the element to the TSS; NaN if the gene is on another chromosome.

    Raises
    ------
    ValueError
        If the tables have no chromosome or no gene in common, or a pair occurs twice.

    Examples
    --------
    >>> tiles = pd.DataFrame([{"chrom": "chrX", "plain": "X", "gene_name": "GATA1", "tss": 700}])
    >>> rows = pd.DataFrame([{"chrom": "X", "start": 100, "end": 600, "gene_name": "GATA1", "regulated": True}])
    >>> match_genes(rows, tiles, str)[["chrom", "distance"]].values.tolist()
    [['chrX', 350.0]]
    """
    rows = rows.assign(plain=rows["chrom"].map(plain_chrom))
    if not rows["plain"].isin(tiles["plain"]).any():
        raise ValueError(
            "effects and table must have a chromosome in common ('chr1' and '1' mean the same); got "
            f"{_first_names(tiles['chrom'])} in effects and {_first_names(rows['chrom'])} in table."
        )
    in_effects = rows["gene_name"].isin(tiles["gene_name"])
    if not in_effects.any():
        raise ValueError(
            f"effects and table must have a gene in common; got {_first_names(tiles['gene_name'])} in effects and "
            f"{_first_names(rows['gene_name'])} in table."
        )
    rows = rows[in_effects]
    repeat = first_repeat(rows, ["plain", "start", "end", "gene_name"])
    if repeat:
        first, row = repeat
        pair = rows.loc[row]
        raise ValueError(
            f"table must have each pair once; got {pair['chrom']}:{pair['start']}-{pair['end']} with "
            f"{pair['gene_name']} in {row_name(first)} and in {row_name(row)}: filter by CellType (cell_type=...) or "
            "Dataset."
        )
    genes = tiles.drop_duplicates("gene_name").set_index("gene_name").loc[rows["gene_name"]]
    distance = np.abs((rows["start"] + rows["end"]).to_numpy() // 2 - genes["tss"].to_numpy()).astype(np.float64)
    distance[genes["plain"].to_numpy() != rows["plain"].to_numpy()] = np.nan
    return rows.assign(chrom=genes["chrom"].to_numpy(), distance=distance)


def score_pairs(pairs: pd.DataFrame, tiles: pd.DataFrame, aggregate: str) -> pd.DataFrame:
    """Add to each pair its `score`, from the overlapping tiles that have an effect, and the number of these, `n_tiles`.

    Examples
    --------
    >>> tiles = pd.DataFrame({"gene_name": "A", "start": [0, 10], "end": [10, 20], "effect": [0.5, -1.0]})
    >>> pairs = pd.DataFrame({"gene_name": "A", "start": [6, 90], "end": [16, 95], "distance": [30.0, 100.0]})
    >>> [score_pairs(pairs, tiles, by)["score"].round(9).tolist() for by in AGGREGATES]
    [[0.5, nan], [-0.4, nan], [-1.0, nan]]
    """
    score, n_tiles = np.full(len(pairs), np.nan), np.zeros(len(pairs), dtype=np.int64)
    same_chrom = pairs["distance"].notna().to_numpy()
    rows_of_gene = pairs.groupby("gene_name").indices
    for gene, gene_tiles in tiles[tiles["effect"].notna()].groupby("gene_name"):
        rows = rows_of_gene.get(gene, np.zeros(0, dtype=np.int64))
        rows = rows[same_chrom[rows]]
        start, end = (pairs[column].to_numpy()[rows, None] for column in ("start", "end"))
        bp = np.minimum(end, gene_tiles["end"].to_numpy()) - np.maximum(start, gene_tiles["start"].to_numpy())
        n_tiles[rows] = (bp > 0).sum(axis=1)
        covered = n_tiles[rows] > 0
        score[rows[covered]] = _aggregate(gene_tiles["effect"].to_numpy(), bp[covered].clip(0), aggregate)
    return pairs.assign(score=score, n_tiles=n_tiles)


def _aggregate(effect: np.ndarray, bp: np.ndarray, aggregate: str) -> np.ndarray:
    """Combine the effects of T tiles into one per element, which overlaps tile t by ``bp[:, t]``, shape (E, T)."""
    largest = np.where(bp > 0, effect, -np.inf).max(axis=1)
    if aggregate == "max":
        return largest
    smallest = np.where(bp > 0, effect, np.inf).min(axis=1)
    if aggregate == "mean":  # relative to the smallest, so that elements in one tile have exactly its effect
        share = bp / bp.sum(axis=1, keepdims=True)
        return smallest + (share * (effect - smallest[:, None])).sum(axis=1)
    return np.where(largest >= -smallest, largest, smallest)


def _first_names(names: pd.Series) -> str:
    return ", ".join(map(shown, names.dropna().unique()[:3])) or "none"
