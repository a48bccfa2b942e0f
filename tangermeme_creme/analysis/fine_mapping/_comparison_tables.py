"""Turn the results of all CREs of a comparison into tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ...operators import FineTileResult
from ._one_cre import CreResults
from .curves import summarize_curves
from .overlap import overlap_table, spans_of_mask


class FineMappingComparison(NamedTuple):
    """Result of `compare_fine_mapping`; bp count along the window.

    Parameters
    ----------
    curves: pandas.DataFrame
        One row per point of a curve: `example`, `method`, `draw`, `bp_kept`, `score`, from the whole CRE to none of it.

    summary: pandas.DataFrame
        One row per (example, method): `draws`, `fewest_bp` at the threshold and `area` under the curve, means over
        draws; `own_bp` and `own_score`, where a method stops without a threshold: the search at its last step, motifs
        with all hits.

    overlap: pandas.DataFrame
        One row per (example, pair of methods), and per method and "truth": `method`, `other`, `bp`, `other_bp`,
        `shared_bp`, `jaccard`, of the bases that each method keeps at its fewest bp.

    kept: pandas.DataFrame
        One row per stretch of these bases: `example`, `method`, `draw`, `start`, `end`.

    importance: dict of str to torch.Tensor, shape=(N, W)
        The signed attributions at the observed bases.

    search: FineTileResult or None
        The result of the search, if "search" was among the methods.

    hits: pandas.DataFrame or None
        The motif hits in the CREs, if "motifs" was among the methods.
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    overlap: pd.DataFrame
    kept: pd.DataFrame
    importance: dict[str, torch.Tensor]
    search: FineTileResult | None
    hits: pd.DataFrame | None


def comparison_tables(
    results: list[CreResults],
    names: list[Any],
    cre: torch.Tensor,
    known: torch.Tensor | None,
    threshold: float,
    below: list[bool],
) -> FineMappingComparison:
    """Join the results of all CREs as tables; `known` are the true bases, shape (N, W)."""
    curves, summaries, overlaps, hits = [], [], [], []
    stretches: list[tuple[Any, ...]] = []
    for i, (name, result) in enumerate(zip(names, results)):
        curves.append(_named(result.curves, name))
        summary = summarize_curves(result.curves, threshold=threshold, below=below[i])
        own = [result.own.get(method, (np.nan, np.nan)) for method in summary["method"]]
        summaries.append(_named(summary.assign(own_bp=[bp for bp, _ in own], own_score=[s for _, s in own]), name))
        kept = {**result.kept, **({} if known is None else {"truth": known[[i]]})}
        overlaps.append(_named(overlap_table(kept), name))
        stretches.extend(
            (name, method, draw, *span)
            for method, mask in result.kept.items()
            for draw, row in enumerate(mask)
            for span in spans_of_mask(row, int(cre[i, 0]))
        )
        if result.hits is not None:
            hits.append(result.hits.assign(example=name))
    searches = [result.search for result in results if result.search is not None]
    search = FineTileResult(
        [each.kept[0] for each in searches],
        torch.cat([each.mask for each in searches]) if searches else torch.zeros(0, 0, dtype=torch.bool),
        [each.trace[0] for each in searches],
    )
    return FineMappingComparison(
        pd.concat(curves, ignore_index=True),
        pd.concat(summaries, ignore_index=True),
        pd.concat(overlaps, ignore_index=True),
        pd.DataFrame(stretches, columns=["example", "method", "draw", "start", "end"]),
        {name: torch.stack([result.importance[name] for result in results]) for name in results[0].importance},
        search if searches else None,
        pd.concat(hits, ignore_index=True) if hits else None,
    )


def _named(table: pd.DataFrame, name: Any) -> pd.DataFrame:
    """Return the table with a first column `example`."""
    return pd.DataFrame({"example": [name] * len(table), **{column: table[column].to_numpy() for column in table}})
