"""The tables of a comparison, from the answers of its CREs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ...operators import FineTileResult
from ._one_cre import Answers
from .curves import summarize_curves
from .overlap import overlap_table, spans_of_mask


class FineMappingComparison(NamedTuple):
    """What `compare_fine_mapping` returns; bp are those of the window.

    Parameters
    ----------
    curves: pandas.DataFrame
        One row a point of a curve: `example`, `method`, `draw`, `bp_kept`, `score`, from the whole CRE to none of it.

    summary: pandas.DataFrame
        One row an (example, method): `draws`, `fewest_bp` at the threshold and `area` under the curve, means over
        draws; `own_bp` and `own_score`, what a method keeps of its own accord: the search at its last step, all motif
        hits.

    overlap: pandas.DataFrame
        One row an (example, pair of methods), and of a method with "truth": `method`, `other`, `bp`, `other_bp`,
        `shared_bp`, `jaccard`, of what each keeps at its fewest bp.

    kept: pandas.DataFrame
        One row a stretch of these bases: `example`, `method`, `draw`, `start`, `end`.

    importance: dict of str to torch.Tensor, shape=(N, W)
        The attributions, signed, at the observed bases.

    search: FineTileResult or None
        That of the search, where it was asked.

    hits: pandas.DataFrame or None
        The motif hits in the CREs, where they were asked.
    """

    curves: pd.DataFrame
    summary: pd.DataFrame
    overlap: pd.DataFrame
    kept: pd.DataFrame
    importance: dict[str, torch.Tensor]
    search: FineTileResult | None
    hits: pd.DataFrame | None


def gather(
    answers: list[Answers],
    names: list[Any],
    cre: torch.Tensor,
    known: torch.Tensor | None,
    threshold: float,
    below: list[bool],
) -> FineMappingComparison:
    """The answers of all CREs as tables; `known` are the true bases, shape (N, W)."""
    curves, summaries, overlaps, hits = [], [], [], []
    stretches: list[tuple[Any, ...]] = []
    for i, (name, answer) in enumerate(zip(names, answers)):
        curves.append(_named(answer.curves, name))
        summary = summarize_curves(answer.curves, threshold=threshold, below=below[i])
        own = [answer.own.get(method, (np.nan, np.nan)) for method in summary["method"]]
        summaries.append(_named(summary.assign(own_bp=[bp for bp, _ in own], own_score=[s for _, s in own]), name))
        kept = {**answer.kept, **({} if known is None else {"truth": known[[i]]})}
        overlaps.append(_named(overlap_table(kept), name))
        stretches.extend(
            (name, method, draw, *span)
            for method, mask in answer.kept.items()
            for draw, row in enumerate(mask)
            for span in spans_of_mask(row, int(cre[i, 0]))
        )
        if answer.hits is not None:
            hits.append(answer.hits.assign(example=name))
    searches = [answer.search for answer in answers if answer.search is not None]
    search = FineTileResult(
        [result.kept[0] for result in searches],
        torch.cat([result.mask for result in searches]) if searches else torch.zeros(0, 0, dtype=torch.bool),
        [result.trace[0] for result in searches],
    )
    return FineMappingComparison(
        pd.concat(curves, ignore_index=True),
        pd.concat(summaries, ignore_index=True),
        pd.concat(overlaps, ignore_index=True),
        pd.DataFrame(stretches, columns=["example", "method", "draw", "start", "end"]),
        {name: torch.stack([answer.importance[name] for answer in answers]) for name in answers[0].importance},
        search if searches else None,
        pd.concat(hits, ignore_index=True) if hits else None,
    )


def _named(table: pd.DataFrame, name: Any) -> pd.DataFrame:
    """The table with a first column `example`."""
    return pd.DataFrame({"example": [name] * len(table), **{column: table[column].to_numpy() for column in table}})
