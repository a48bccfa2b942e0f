"""How well predicted effects of tiles agree with CRISPRi experiments, and whether they say more than distance does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...sequence import check_count
from .pairs import AGGREGATES, checked_tiles, pairs_of_genes, rows_that_count, score_pairs
from .precision_recall import ALL, bins_by_distance, curves_and_summary, label_distances
from .table import Source, load_crispri


class CrispriComparison(NamedTuple):
    """What `compare_with_crispri` gives.

    Parameters
    ----------
    pairs: pandas.DataFrame
        One row an element-gene pair that is scored, in order of chromosome (as text, without "chr"), start, end and
        gene: `chrom` (as `effects` spells it), `start`, `end`, `gene_name`, `distance` (bp, from the base at the centre
        of the element, ``(start + end) // 2``, to the TSS), `effect_size` (NaN where the table has none), `regulated`,
        `score`, `n_tiles` (those with a prediction that the element overlaps) and `distance_bin` (None outside of all
        bins).

    curves: pandas.DataFrame
        Precision and recall from the highest threshold down: `predictor` ("effect", or "distance", whose score is
        minus the bp), `distance_bin` ("all" or a label), `threshold` (pairs that score at least that are called),
        `recall` and `precision`. Each curve starts at an infinite threshold, a recall of 0 and, by convention, a
        precision of 1. There is none where `auprc` is NaN.

    summary: pandas.DataFrame
        One row a bin, "all" first, and predictor: `predictor`, `distance_bin`, `n`, `n_regulated`, `prevalence` (the
        auprc to expect of chance), `auprc` (average precision), `auprc_low`, `auprc_high`; for "effect", `gain` (its
        auprc minus that of "distance"), `gain_low`, `gain_high`; for "all", how many rows of the table were left out
        as `n_invalid` (by ValidConnection) or `n_unknown` (Regulated is NA), how many of the rest are of a gene that
        is not in `effects` (`n_no_gene`), and how many no tile covers (`n_uncovered`). NaN in bins where all pairs or
        none are regulated.
    """

    pairs: pd.DataFrame
    curves: pd.DataFrame
    summary: pd.DataFrame


def read_crispri(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a file of element-gene pairs that were tested by CRISPRi.

    The layout is that of the EPCrisprBenchmark files of EngreitzLab/CRISPR_comparison on GitHub (Gschwind et al. 2023,
    bioRxiv 2023.11.09.563812): tab-separated, one row a pair, elements 0-based and half-open.

    Parameters
    ----------
    path: str or path
        Text or gzip, whatever it is called. Must have columns `chrom`, `chromStart` and `chromEnd` (or `start` and
        `end`), `measuredGeneSymbol` and `Regulated` (TRUE, FALSE or NA).

    Returns
    -------
    table: pandas.DataFrame
        All rows and columns of the file, with `chromStart` and `chromEnd` as `start` and `end` (int64) and
        `measuredEnsemblID` as `measuredGeneEnsemblId`; `Regulated` as flags with NA, `EffectSize` as float64,
        `ValidConnection` as text, and other columns as numbers or flags where all of one is.

    Raises
    ------
    ValueError
        If columns are missing, a line has more or fewer cells than the header, a value is not what its column holds, an
        element does not end after it starts, or a gzip file is cut off; the message names the file, the line and the
        column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "pairs.tsv"
    ...     header = "chrom\\tchromStart\\tchromEnd\\tmeasuredGeneSymbol\\tRegulated"
    ...     _ = path.write_text(header + "\\nchrX\\t100\\t600\\tGATA1\\tTRUE\\n")
    ...     read_crispri(path)
      chrom  start  end measuredGeneSymbol  Regulated
    0  chrX    100  600              GATA1       True
    """
    return load_crispri(os.fspath(path))[0]


def compare_with_crispri(
    effects: pd.DataFrame,
    table: Source,
    *,
    effect: str,
    aggregate: str = "max",
    missing: str = "drop",
    cell_type: str | None = None,
    distance_bins: Sequence[float] = (0, 10_000, 50_000, 100_000, float("inf")),
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> CrispriComparison:
    """Ask of predicted effects of tiles which elements a CRISPRi experiment found to regulate which gene.

    Each element that was tested for a gene gets the effect of the tiles of that gene that it overlaps. Regulated pairs,
    those whose perturbation lowers expression significantly, should get the largest effects: the area under the
    precision-recall curve says how far they do, beside that of nearness to the TSS alone, which is hard to beat. The
    benchmark is that of Gschwind et al. 2023 (bioRxiv 2023.11.09.563812); the paper of CREME has none. Costs no forward
    pass.

    What it cannot tell. Elements outside of the model's window, or over its TSS tile, are not compared (`n_uncovered`),
    so that far enhancers, the hardest ones, do not count. A tile of 5 kb holds several elements, which then share one
    effect. CRISPRi also finds indirect effects, through another gene, and misses weak ones, so that no predictor from
    sequence reaches 1. The intervals resample pairs as if they were independent; those of one gene or one element are
    not, and the true uncertainty is larger. Both sides must be of one genome assembly and one kind of cell, which no
    check here can see.

    Parameters
    ----------
    effects: pandas.DataFrame
        One row a tile of a gene: `chrom`, `start`, `end` (bp of the genome, 0-based and half-open), `gene_name`, `tss`
        (the 0-based base) and the column that `effect` names. Tiles of a gene may overlap.

    table: path or pandas.DataFrame
        One row an element-gene pair, as `read_crispri` describes. Where there is a column `ValidConnection`, only rows
        in which it is TRUE count. "chr1" and "1" mean the same.

    effect: str
        A column of `effects`, large where the tile activates the gene, say "necessity" or "over_control". NaN is no
        prediction.

    aggregate: "max", "mean" or "extreme", optional
        Of the tiles that an element overlaps: the largest effect, their mean weighted by the bp that overlap, or the
        one furthest from 0 (the positive one of two that are equally far). Default is "max".

    missing: "drop" or "zero", optional
        What becomes of elements that no tile with a prediction covers, of genes that are in `effects`: they are left
        out, or score 0. Those on another chromosome than the gene are left out. Default is "drop".

    cell_type: str or None, optional
        The `CellType` of the rows that count. None is all. Default is None.

    distance_bins: sequence of float, optional
        Increasing edges in bp; a bin holds its lower edge and not its upper one. "all" holds pairs outside of the bins
        too. Default is (0, 10 kb, 50 kb, 100 kb, infinity).

    confidence: float, optional
        Of the percentile bootstrap intervals. Default is 0.95.

    n_resamples: int, optional
        Both predictors are evaluated on the same resamples. Those in which nothing is regulated do not count. Default
        is 1000.

    random_state: int, optional
        Seed. What is drawn for a bin depends on it, on the place of the bin and on how many pairs it holds, not on the
        order of rows or on other bins. Default is 0.

    Returns
    -------
    comparison: CrispriComparison
        `pairs`, `curves` and `summary`.

    Raises
    ------
    ValueError
        If a column is missing or holds what it cannot; a gene has two TSSs in `effects`, or a tile twice; the table has
        a pair twice (among rows that count, of genes in `effects`); nothing is left to score; or an option is out of
        its range.

    Examples
    --------
    >>> tiles = {"chrom": "chr1", "start": [0, 5000, 15000], "end": [5000, 10000, 20000]}
    >>> effects = pd.DataFrame(tiles | {"gene_name": "A", "tss": 12500, "necessity": [0.6, 0.0, 0.1]})
    >>> spans = {"chrom": "chr1", "chromStart": [1000, 7000, 16000], "chromEnd": [1500, 7500, 16500]}
    >>> table = pd.DataFrame(spans | {"measuredGeneSymbol": "A", "Regulated": [True, False, False]})
    >>> found = compare_with_crispri(effects, table, effect="necessity", n_resamples=100)
    >>> found.pairs[["start", "distance", "score", "regulated"]]
       start  distance  score  regulated
    0   1000     11250    0.6       True
    1   7000      5250    0.0      False
    2  16000      3750    0.1      False
    >>> found.summary.loc[:1, ["predictor", "prevalence", "auprc", "gain"]].round(2)
      predictor  prevalence  auprc  gain
    0    effect        0.33   1.00  0.67
    1  distance        0.33   0.33   NaN
    """
    _check_options(aggregate, missing, confidence)
    check_count("n_resamples", n_resamples)
    check_count("random_state", random_state, minimum=0)
    edges, labels = bins_by_distance(distance_bins)
    tiles = checked_tiles(effects, effect)
    rows, where = load_crispri(table)
    rows, counts = rows_that_count(rows, cell_type)
    tested = pairs_of_genes(rows, tiles, where)
    counts["n_no_gene"] = len(rows) - len(tested)
    scored = score_pairs(tested, tiles, aggregate)
    counts["n_uncovered"] = int((scored["n_tiles"] == 0).sum())
    if missing == "zero":
        scored = scored.fillna({"score": 0.0})[scored["distance"].notna()]
    else:
        scored = scored[scored["n_tiles"] > 0]
    if not len(scored):
        raise ValueError(
            f"tiles with a prediction must cover an element; got none for {len(tested)} pairs of genes in effects, the "
            f"first in {where(int(tested.index[0]))}. Are both of one genome assembly?"
        )
    pairs = _pairs(scored, edges, labels)
    curves, summary = curves_and_summary(
        pairs, labels, confidence=confidence, n_resamples=n_resamples, random_state=random_state
    )
    for name in ("n_no_gene", "n_uncovered", "n_invalid", "n_unknown"):
        summary[name] = pd.array(
            [counts[name] if label == ALL else pd.NA for label in summary["distance_bin"]], "Int64"
        )
    return CrispriComparison(pairs, curves, summary)


def _check_options(aggregate: str, missing: str, confidence: float) -> None:
    if aggregate not in AGGREGATES:
        raise ValueError(f"aggregate must be one of {', '.join(AGGREGATES)}; got {aggregate!r}.")
    if missing not in ("drop", "zero"):
        raise ValueError(f"missing must be 'drop' or 'zero'; got {missing!r}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence}.")


def _pairs(scored: pd.DataFrame, edges: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    rows = scored.sort_values(["plain", "start", "end", "gene_name"], ignore_index=True)
    rows["distance"] = rows["distance"].astype(np.int64)
    rows["distance_bin"] = pd.Series(label_distances(rows["distance"].to_numpy(), edges, labels), dtype=object)
    columns = ["chrom", "start", "end", "gene_name", "distance", "effect_size", "regulated", "score", "n_tiles"]
    return rows[[*columns, "distance_bin"]]
