"""Which bases methods keep in common, with each other and with what is known."""

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
    """The stretches of a mask, shape (W,), whose first base is at `first`, as 0-based half-open spans.

    Examples
    --------
    >>> spans_of_mask(torch.tensor([True, True, False, True]), 100)
    [(100, 102), (103, 104)]
    """
    edges = np.flatnonzero(np.diff(np.r_[False, mask.numpy(), False])) + first
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def overlap_table(kept: Mapping[str, torch.Tensor]) -> pd.DataFrame:
    """The bases that each two methods keep of one CRE.

    Parameters
    ----------
    kept: mapping of str to torch.Tensor, shape=(D, W), dtype=bool
        One flag a base; D draws, or one.

    Returns
    -------
    table: pandas.DataFrame
        One row a pair: `method`, `other`, `bp`, `other_bp`, `shared_bp` and `jaccard`, the bases in both over those in
        either, all means over draws. NaN where neither keeps a base.

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
    """Which bases of the spans lie in known elements, shape (N, W).

    Parameters
    ----------
    truth: path or pandas.DataFrame
        With `loci`, a BED file or a table of `chrom`, `start` and `end` in bp of the genome. Without, a table of
        `example`, `start` and `end` in bp of the window, such as `kept_frame` gives.

    spans: torch.Tensor, shape=(N, 2)
        Of one width W, in bp of the window.

    ids: sequence
        N names, for `example`.

    loci: pandas.DataFrame or None
        `chrom`, `tss` (the 0-based base) and `strand` of each example.

    length: int
        Of the window, in bp.

    Raises
    ------
    ValueError
        If columns are missing, an element ends before it starts, there is not one locus an example, a file comes
        without loci, or the table has an example that there is not; the message names it.

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
    of, wanted = _owners(table, ids, loci, len(spans))
    mask = torch.zeros((len(spans), int(spans[0, 1] - spans[0, 0])), dtype=torch.bool)
    for i, (first, last) in enumerate(spans.tolist()):
        low, high, turned = first, last, False
        if loci is not None:
            place = {"tss": int(loci["tss"].iloc[i]), "strand": str(loci["strand"].iloc[i]), "length": length}
            low, high = span_to_genome(first, last, **place)  # type: ignore[arg-type]
            turned = place["strand"] == "-"
        here = (of == wanted[i]) & (start < high) & (end > low)
        inside = np.zeros(last - first, dtype=bool)
        for a, b in zip(start[here] - low, end[here] - low):
            inside[max(0, a) : b] = True
        mask[i] = torch.from_numpy(inside[::-1].copy() if turned else inside)
    return mask


def _owners(
    table: pd.DataFrame, ids: Sequence[Any], loci: pd.DataFrame | None, n: int
) -> tuple[np.ndarray, Sequence[Any]]:
    """What each element lies on, the chromosome or the example, and which of these each example is."""
    if loci is None:
        strange = ~table["example"].isin(list(ids))
        if strange.any():
            raise ValueError(f"truth must be of the examples; got {table['example'][strange].iloc[0]!r}.")
        return table["example"].to_numpy(), ids
    check_columns(loci, ["chrom", "tss", "strand"])
    if len(loci) != n:
        raise ValueError(f"loci must have one row an example ({n}); got {len(loci)}.")
    chroms = np.array([plain_chrom(name) for name in table["chrom"]], dtype=object)
    wanted = [plain_chrom(name) for name in loci["chrom"]]
    if len(chroms) and not set(chroms) & set(wanted):
        got = table["chrom"].iloc[0]
        raise ValueError(f"truth must have chromosomes of loci, {loci['chrom'].iloc[0]!r}; got {got!r}.")
    return chroms, wanted
