"""Compare predicted effects of tiles with CRISPRi experiments, and with distance as a predictor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...sequence import check_choice, check_count
from .pairs import AGGREGATES, match_genes, score_pairs, select_pairs
from .precision_recall import ALL, bins_by_distance, curves_and_summary, label_distances
from .table import CrispriSource, load_crispri
from .tiles import check_tiles


class CrispriComparison(NamedTuple):
    """Hold the result of `compare_with_crispri`.

    Parameters
    ----------
    pairs: pandas.DataFrame
        One row per scored element-gene pair, in order of chromosome (as text, without "chr"), start, end and gene:
        `chrom` (as in `effects`), `start`, `end`, `gene_name`, `distance` (bp from the base at the centre of the
        element, ``(start + end) // 2``, to the TSS), `effect_size` (NaN if the table has none), `regulated`, `score`,
        `n_tiles` (tiles with a prediction that overlap the element) and `distance_bin` (None outside of all bins).

    curves: pandas.DataFrame
        Precision and recall, from the highest threshold to the lowest: `predictor` ("effect", or "distance", whose
        score is minus the bp), `distance_bin` ("all" or a label), `threshold` (pairs with at least this score are
        called), `recall` and `precision`. Each curve starts at an infinite threshold, a recall of 0 and, by convention,
        a precision of 1. Bins in which `auprc` is NaN have no curve.

    summary: pandas.DataFrame
        One row per bin ("all" first) and predictor: `predictor`, `distance_bin`, `n`, `n_regulated`, `prevalence` (the
        auprc of a random predictor), `auprc` (average precision), `auprc_low` and `auprc_high`. Rows of "effect" also
        have `gain` (their auprc minus that of "distance"), `gain_low` and `gain_high`. Rows of "all" also have the
        numbers of rows of the table that were left out: `n_invalid` (by ValidConnection), `n_unknown` (Regulated is
        NA), `n_no_gene` (the gene is not in `effects`) and `n_uncovered` (no tile covers the element). The other
        columns are NaN in bins where all pairs or none are regulated.
    """

    pairs: pd.DataFrame
    curves: pd.DataFrame
    summary: pd.DataFrame


def read_crispri(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a file of element-gene pairs that were tested by CRISPRi.

    The layout is that of the EPCrisprBenchmark files of EngreitzLab/CRISPR_comparison on GitHub (Gschwind et al. 2023,
    bioRxiv 2023.11.09.563812): tab-separated, one row per pair, elements 0-based and half-open.

    Parameters
    ----------
    path: str or path
        Text, plain or gzipped, with any file name. The columns `chrom`, `chromStart` and `chromEnd` (or `start` and
        `end`), `measuredGeneSymbol` and `Regulated` (TRUE, FALSE or NA) are required.

    Returns
    -------
    table: pandas.DataFrame
        All rows and columns of the file, with `chromStart` and `chromEnd` as `start` and `end` (int64) and
        `measuredEnsemblID` as `measuredGeneEnsemblId`; `Regulated` as booleans with NA, `EffectSize` as float64,
        `ValidConnection` as text, and other columns as numbers or booleans if all their values are. An element of no
        length is the base at its start, as in the benchmark.

    Raises
    ------
    ValueError
        If columns are missing, a line has more or fewer cells than the header, a value does not fit its column, an
        element ends before it starts, or a gzipped file is cut off; the message names the file, the line and
        the column.

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
    table: CrispriSource,
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
    """Test how well predicted effects of tiles find the elements that regulate a gene in CRISPRi experiments.

    The score of an element-gene pair is the effect of the tiles of the gene that overlap the element. Regulated pairs,
    in which perturbing the element lowers expression significantly, should have the largest scores. The area under the
    precision-recall curve measures this, also for distance to the TSS as the only predictor, which is hard to beat. The
    benchmark is that of Gschwind et al. 2023 (bioRxiv 2023.11.09.563812); it is not in the CREME paper. Costs no
    forward pass.

    Limits: elements outside of the model's window or over its TSS tile are not compared (`n_uncovered`), so that the
    most distant enhancers, which are the hardest, do not count. All elements in one tile of 5 kb have the same effect.
    CRISPRi also finds indirect effects, through another gene, and misses weak effects, so that no predictor from
    sequence reaches 1. The intervals resample pairs as if they were independent; pairs of one gene or one element are
    not, and the true uncertainty is larger. Both tables must have one genome assembly and one cell type, which this
    function cannot check.

    Parameters
    ----------
    effects: pandas.DataFrame
        One row per tile of a gene: `chrom`, `start`, `end` (bp of the genome, 0-based and half-open), `gene_name`,
        `tss` (0-based base) and the column that `effect` names. Tiles of a gene may overlap.

    table: path or pandas.DataFrame
        One row per element-gene pair, as `read_crispri` describes. If there is a column `ValidConnection`, only rows
        with TRUE count. "chr1" and "1" name the same chromosome.

    effect: str
        Column of `effects` with large values for tiles that activate the gene, for example "necessity" or
        "over_control". NaN means no prediction.

    aggregate: "max", "mean" or "extreme", optional
        How to combine the effects of the tiles that overlap an element: the largest effect, the mean weighted by the
        bp of the overlap, or the effect with the largest absolute value (of equals the positive one). Default is "max".

    missing: "drop" or "zero", optional
        Whether elements that no tile with a prediction covers are left out or score 0, if their gene is in `effects`.
        Elements on another chromosome than the gene are left out. Default is "drop".

    cell_type: str or None, optional
        `CellType` of the rows that count. None is all rows. Default is None.

    distance_bins: sequence of float, optional
        Increasing edges in bp; a bin includes its lower edge and excludes its upper edge. "all" also holds pairs
        outside of the bins. Default is (0, 10 kb, 50 kb, 100 kb, infinity).

    confidence: float, optional
        Confidence level of the percentile bootstrap intervals. Default is 0.95.

    n_resamples: int, optional
        Number of bootstrap resamples; both predictors are evaluated on the same ones. Resamples without a regulated
        pair do not count. Default is 1000.

    random_state: int, optional
        Seed. The resamples of a bin depend on the seed, on the index of the bin and on its number of pairs, not on the
        order of rows or on other bins. Default is 0.

    Returns
    -------
    comparison: CrispriComparison
        `pairs`, `curves` and `summary`.

    Raises
    ------
    ValueError
        If a column is missing or has an invalid value; a gene has two TSSs or a tile twice in `effects`; the table has
        a pair twice (among rows that count, with genes in `effects`); no pair can be scored; or an option is out of
        range.

    Examples
    --------
    >>> tiles = {"chrom": "chr1", "start": [0, 5000, 15000], "end": [5000, 10000, 20000]}
    >>> effects = pd.DataFrame(tiles | {"gene_name": "A", "tss": 12500, "necessity": [0.6, 0.0, 0.1]})
    >>> spans = {"chrom": "chr1", "chromStart": [1000, 7000, 16000], "chromEnd": [1500, 7500, 16500]}
    >>> table = pd.DataFrame(spans | {"measuredGeneSymbol": "A", "Regulated": [True, False, False]})
    >>> comparison = compare_with_crispri(effects, table, effect="necessity", n_resamples=100)
    >>> comparison.pairs[["start", "distance", "score", "regulated"]]
       start  distance  score  regulated
    0   1000     11250    0.6       True
    1   7000      5250    0.0      False
    2  16000      3750    0.1      False
    >>> comparison.summary.loc[:1, ["predictor", "prevalence", "auprc", "gain"]].round(2)
      predictor  prevalence  auprc  gain
    0    effect        0.33   1.00  0.67
    1  distance        0.33   0.33   NaN
    """
    _check_choices(aggregate, missing, confidence)
    check_count("n_resamples", n_resamples)
    check_count("random_state", random_state, minimum=0)
    edges, labels = bins_by_distance(distance_bins)
    tiles = check_tiles(effects, effect)
    rows, row_name = load_crispri(table, cell_type)
    rows, counts = select_pairs(rows)
    tested = match_genes(rows, tiles, row_name)
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
            f"first in {row_name(int(tested.index[0]))}. Are both of one genome assembly?"
        )
    pairs = _sorted_pairs(scored, edges, labels)
    curves, summary = curves_and_summary(
        pairs, labels, confidence=confidence, n_resamples=n_resamples, random_state=random_state
    )
    for name in ("n_no_gene", "n_uncovered", "n_invalid", "n_unknown"):
        summary[name] = pd.array(
            [counts[name] if label == ALL else pd.NA for label in summary["distance_bin"]], "Int64"
        )
    return CrispriComparison(pairs, curves, summary)


def _check_choices(aggregate: str, missing: str, confidence: float) -> None:
    check_choice("aggregate", aggregate, *AGGREGATES)
    check_choice("missing", missing, "drop", "zero")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence}.")


def _sorted_pairs(scored: pd.DataFrame, edges: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    rows = scored.sort_values(["plain", "start", "end", "gene_name"], ignore_index=True)
    rows["distance"] = rows["distance"].astype(np.int64)
    rows["distance_bin"] = pd.Series(label_distances(rows["distance"].to_numpy(), edges, labels), dtype=object)
    columns = ["chrom", "start", "end", "gene_name", "distance", "effect_size", "regulated", "score", "n_tiles"]
    return rows[[*columns, "distance_bin"]]
