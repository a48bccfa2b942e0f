"""Tables of tiles and of tested pairs, and average precision by a loop."""

from __future__ import annotations

import numpy as np
import pandas as pd

QUICK = {"effect": "necessity", "n_resamples": 20}


def tile_table(effects: list[float], gene: str = "A", chrom: str = "chr1", tss: int = 1050, first: int = 0):
    """Make adjacent tiles of 100 bp."""
    start = first + 100 * np.arange(len(effects))
    return pd.DataFrame(
        {"chrom": chrom, "start": start, "end": start + 100, "gene_name": gene, "tss": tss, "necessity": effects}
    )


def pair_table(*rows: tuple, gene: str = "A", chrom: str = "chr1") -> pd.DataFrame:
    """Make tested pairs from (start, end, regulated)."""
    columns = list(zip(*rows))
    return pd.DataFrame(
        {"chrom": chrom, "chromStart": columns[0], "chromEnd": columns[1], "measuredGeneSymbol": gene}
        | {"Regulated": columns[2]}
    )


def simulated(n: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw effects of tiles of genes, and elements that are regulated with a probability of the effect."""
    rng = np.random.default_rng(seed)
    effects = pd.concat(
        [
            tile_table(rng.exponential(0.2, 40).tolist(), f"G{i}", f"chr{i % 3 + 1}", 10_000 * i + 2_000, 10_000 * i)
            for i in range(10)
        ],
        ignore_index=True,
    )
    own = effects.iloc[rng.integers(0, len(effects), n)].reset_index(drop=True)
    start = own["start"] + rng.integers(0, 60, n)
    table = pd.DataFrame(
        {
            "chrom": own["chrom"],
            "chromStart": start,
            "chromEnd": start + rng.integers(20, 600, n),
            "measuredGeneSymbol": own["gene_name"],
            "Regulated": rng.random(n) < own["necessity"],
        }
    )
    return effects, table.drop_duplicates(["chromStart", "chromEnd", "measuredGeneSymbol"], ignore_index=True)


def naive_average_precision(regulated: list[bool], scores: list[float]) -> float:
    """Sum precision times the gain in recall over thresholds, from the highest."""
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        called = [y for y, score in zip(regulated, scores) if score >= threshold]
        total += sum(called) / len(called) * (sum(called) - before) / sum(regulated)
        before = sum(called)
    return total
