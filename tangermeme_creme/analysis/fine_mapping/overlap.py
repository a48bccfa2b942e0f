"""Compare the bases that methods keep, with each other and with known elements."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch

from ...sequence import span_to_genome
from ...sequence.genome import plain_chrom, read_bed
from ...support import check_columns

Truth: TypeAlias = str | os.PathLike[str] | pd.DataFrame


def spans_of_mask(mask: torch.Tensor, first: int = 0) -> list[tuple[int, int]]:
    """Return the stretches of a mask, shape (W,), as 0-based half-open spans; its first base is at `first`.

    Examples
    --------
    >>> spans_of_mask(torch.tensor([True, True, False, True]), 100)
    [(100, 102), (103, 104)]
    """
    edges = np.flatnonzero(np.diff(np.r_[False, mask.numpy(), False])) + first
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def overlap_table(kept: Mapping[str, torch.Tensor]) -> pd.DataFrame:
    """Count the bases of one CRE that each pair of methods keeps.

    Parameters
    ----------
    kept: mapping of str to torch.Tensor, shape=(D, W), dtype=bool
        One flag per base; D draws, or one.

    Returns
    -------
    table: pandas.DataFrame
        One row per pair: `method`, `other`, `bp`, `other_bp`, `shared_bp` and `jaccard`, the bases in both divided by
        those in either, all means over draws. `jaccard` is NaN if neither keeps a base.

    Examples
    --------
    >>> masks = {"search": torch.tensor([[True, True, False]]), "truth": torch.tensor([[False, True, True]])}
    >>> overlap_table(masks).round(3).to_dict("records")
    [{'method': 'search', 'other': 'truth', 'bp': 2.0, 'other_bp': 2.0, 'shared_bp': 1.0, 'jaccard': 0.333}]
    """
    rows = []
    for (name, one), (other_name, other) in combinations(kept.items(), 2):
        one, other = one[:, None], other[None]
        shared, either = (one & other).sum(-1).double(), (one | other).sum(-1).double()
        jaccard = (shared / either).mean()  # 0 / 0 is NaN
        sizes = (float(mask.sum(-1).double().mean()) for mask in (one, other))
        rows.append((name, other_name, *sizes, float(shared.mean()), float(jaccard)))
    return pd.DataFrame(rows, columns=["method", "other", "bp", "other_bp", "shared_bp", "jaccard"])


def truth_mask(
    truth: Truth, spans: torch.Tensor, *, ids: Sequence[Any], loci: pd.DataFrame | None, length: int
) -> torch.Tensor:
    """Mark the bases of spans that lie in known elements, shape (N, W).

    Parameters
    ----------
    truth: path or pandas.DataFrame
        With `loci`, a BED file or a table of `chrom`, `start` and `end` in bp of the genome. Without, a table of
        `example`, `start` and `end` in bp of the window, such as that of `kept_frame`.

    spans: torch.Tensor, shape=(N, 2)
        All of one width W, in bp of the window.

    ids: sequence
        N names, as in column `example`.

    loci: pandas.DataFrame or None
        `chrom`, `tss` (the 0-based base) and `strand` of each example.

    length: int
        Length of the window in bp.

    Raises
    ------
    ValueError
        If columns are missing, an element ends before it starts, the number of loci is not that of the examples, a file
        comes without loci, or the table names an unknown example; the message names it.

    Examples
    --------
    >>> truth = pd.DataFrame({"example": ["a"], "start": [12], "end": [15]})
    >>> truth_mask(truth, torch.tensor([[10, 14]]), ids=["a"], loci=None, length=100)
    tensor([[False, False,  True,  True]])
    """
    if loci is None and not isinstance(truth, pd.DataFrame):
        raise ValueError(f"truth must come with loci where it is in bp of the genome; got {os.fspath(truth)} alone.")
    table = truth if isinstance(truth, pd.DataFrame) else read_bed(truth)
    check_columns(table, ["example" if loci is None else "chrom", "start", "end"])
    start, end = (table[name].to_numpy(dtype=np.int64) for name in ("start", "end"))
    bad = np.flatnonzero(end <= start)
    if len(bad):
        row = bad[0]
        raise ValueError(f"truth must end after it starts; got [{start[row]}, {end[row]}) at row {row}.")
    owner, owners = _owners(table, ids, loci, len(spans))
    mask = torch.zeros((len(spans), int(spans[0, 1] - spans[0, 0])), dtype=torch.bool)
    for i, (first, last) in enumerate(spans.tolist()):
        low, high, reverse = first, last, False
        if loci is not None:
            place = {"tss": int(loci["tss"].iloc[i]), "strand": str(loci["strand"].iloc[i]), "length": length}
            low, high = span_to_genome(first, last, **place)  # type: ignore[arg-type]
            reverse = place["strand"] == "-"
        inside_span = (owner == owners[i]) & (start < high) & (end > low)
        covered = np.zeros(last - first, dtype=bool)
        for a, b in zip(start[inside_span] - low, end[inside_span] - low):
            covered[max(0, a) : b] = True
        mask[i] = torch.from_numpy(covered[::-1].copy() if reverse else covered)
    return mask


def _owners(
    table: pd.DataFrame, ids: Sequence[Any], loci: pd.DataFrame | None, n: int
) -> tuple[np.ndarray, Sequence[Any]]:
    """Return the owner of each element, a chromosome or an example, and the owner that each example looks for."""
    if loci is None:
        unknown = ~table["example"].isin(list(ids))
        if unknown.any():
            raise ValueError(f"truth must be of the examples; got {table['example'][unknown].iloc[0]!r}.")
        return table["example"].to_numpy(), ids
    check_columns(loci, ["chrom", "tss", "strand"])
    if len(loci) != n:
        raise ValueError(f"loci must have one row per example ({n}); got {len(loci)}.")
    chroms = np.array([plain_chrom(name) for name in table["chrom"]], dtype=object)
    wanted = [plain_chrom(name) for name in loci["chrom"]]
    if len(chroms) and not set(chroms) & set(wanted):
        got = table["chrom"].iloc[0]
        raise ValueError(f"truth must have chromosomes of loci, {loci['chrom'].iloc[0]!r}; got {got!r}.")
    return chroms, wanted
