"""Rankings of the bases of a CRE, the order of removal, and the points of a curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ...sequence import check_count


def check_ranking(ranking: torch.Tensor, n_examples: int, width: int, name: str = "ranking") -> torch.Tensor:
    """Check rankings of the bases of CREs and return them as shape (N, D, W).

    Raises
    ------
    ValueError
        If the shape is neither (N, D, W) nor (N, W), or a value is NaN; the message names it.

    Examples
    --------
    >>> check_ranking(torch.zeros(2, 5), 2, 5).shape
    torch.Size([2, 1, 5])
    """
    values = ranking.detach().cpu() if isinstance(ranking, torch.Tensor) else torch.as_tensor(np.asarray(ranking))
    rows = values[:, None] if values.ndim == 2 else values
    if rows.ndim != 3 or rows.shape[0] != n_examples or rows.shape[1] == 0 or rows.shape[2] != width:
        raise ValueError(
            f"{name} must have shape ({n_examples}, {width}) or ({n_examples}, D, {width}): one importance per "
            f"base of the CRE; got {tuple(values.shape)}."
        )
    if rows.is_complex():
        raise ValueError(f"{name} must hold real numbers; got {rows.dtype}.")
    bad = ~rows.isfinite()
    if bad.any():
        i, d, position = bad.nonzero()[0].tolist()
        got = rows[i, d, position].item()
        raise ValueError(f"{name} must be finite; got {got} for example {i}, draw {d}, position {position}.")
    return rows


def random_ranking(n_examples: int, length: int, *, draws: int = 10) -> torch.Tensor:
    """Return the random baseline: constant rankings, shape (N, D, W), which `retention_curve` puts in random order.

    Examples
    --------
    >>> random_ranking(2, 5000).shape
    torch.Size([2, 10, 5000])
    """
    check_count("draws", draws)
    return torch.zeros(1, 1, 1).expand(n_examples, draws, length)


def removal_order(ranking: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
    """Sort the positions of each ranking, shape (N, D, W), the least important first and equal ones at random.

    Examples
    --------
    >>> removal_order(torch.tensor([[[0.5, -1.0, 2.0]]]), [0])
    tensor([[[1, 0, 2]]])
    """
    values = ranking.double().numpy()
    order = np.empty(values.shape, dtype=np.int64)
    for i, seed in enumerate(seeds):
        for d in range(values.shape[1]):
            ties = np.random.default_rng([seed, d]).permutation(values.shape[2])
            order[i, d] = np.lexsort((ties, values[i, d]))
    return torch.from_numpy(order)


def points(steps: int | Sequence[int], width: int) -> list[int]:
    """Return the bp that are kept at each point of a curve, from all to none.

    Raises
    ------
    ValueError
        If a step is not an integer of at least 1, or a number of bp is not an integer from 0 to `width`.

    Examples
    --------
    >>> points(4, 10), points([3, 7, 3], 10)
    ([10, 6, 2, 0], [10, 7, 3, 0])
    """
    if isinstance(steps, (int, np.integer)):
        check_count("steps", steps)
        return [*range(width, 0, -int(steps)), 0]
    for i, bp in enumerate(steps):
        check_count(f"steps[{i}]", bp, minimum=0)
        if bp > width:
            raise ValueError(f"steps must be bp to keep, at most the {width} bp of the CRE; got {bp} at index {i}.")
    return sorted({width, 0, *map(int, steps)}, reverse=True)
