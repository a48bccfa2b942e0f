"""Draw shuffles until the standard error of an effect is small enough."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence, TangermemeWarning

from ...operators import (
    context_dependence_test,
    distance_test,
    interaction_map,
    necessity_test,
    sufficiency_test,
    tile_set_sufficiency_test,
)
from ...sequence import RandomState, ShuffleFn, check_count, example_seeds, integers, later_shuffles
from ...support import dropped
from .named_effects import effects_by_name
from .resampling import Effect, activities_of, standard_error
from .rounding import only_rounding
from .rows import shuffles_side_by_side

# The axis of shuffles in each field of a result that has one.
_SHUFFLE_AXES: dict[Callable[..., Any], dict[str, int]] = {
    context_dependence_test: {"y_mut": 1},
    necessity_test: {"y_mut": 2},
    sufficiency_test: {"y_control": 1, "y_mut": 2},
    distance_test: {"y_control": 1, "y_original": 1, "y_mut": 2},
    tile_set_sufficiency_test: {"y_control": 1, "y_mut": 2},
    interaction_map: {"y_single": 2, "y_pair": 2},
}
# Arguments that may have one row per example, and their number of axes if they have.
_ROW_PER_EXAMPLE = {"tile": 2, "tss_tile": 2, "cre_tile": 2, "order": 2}


class AdaptiveResult(NamedTuple):
    """Hold the result of `adaptive_n`.

    Parameters
    ----------
    result: the result type of the test
        The axis of shuffles has the largest number of shuffles; shuffles that were not drawn for an example are NaN.

    n: torch.Tensor, shape=(N,), dtype=int64
        Number of shuffles of each example.

    sem: torch.Tensor, shape=(N,), dtype=float64
        Largest standard error among the effects of each example.

    converged: torch.Tensor, shape=(N,), dtype=bool
        Whether `sem` is below `tol`. False if the example stopped at `n_max`, or if all its effects are undefined.
    """

    result: Any
    n: torch.Tensor
    sem: torch.Tensor
    converged: torch.Tensor

    def to_frame(self, **kwargs: Any) -> pd.DataFrame:
        """Return the table of the result with the drawn shuffles only; see `to_frame` of the result for arguments."""
        frame = self.result.to_frame(**kwargs)
        drawn = "y_both" if "y_both" in frame else "y_mut"
        return frame[frame[drawn].notna()].reset_index(drop=True)


def adaptive_n(
    test: Callable[..., Any],
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    *what: Any,
    effect: Effect | str | Sequence[str],
    tol: float,
    n: int = 10,
    n_max: int = 100,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    random_state: RandomState = None,
    **kwargs: Any,
) -> AdaptiveResult:
    """Run a test with as many shuffles as each example needs.

    Shuffles are drawn in blocks of `n`, which continue one random stream, until the largest standard error of the
    effect, over the tiles (positions, rounds, pairs) and tracks of an example, is below `tol`. The shuffles of an
    example, and its predictions, are the first ones of a run with a fixed n. Undefined effects have no standard error
    and are ignored. Costs ``1 + k * cost`` sequences per block of k shuffles, where ``cost`` is the cost of the test
    with one shuffle.

    Because drawing stops when the standard error happens to be small, the reported standard error is slightly too
    small; more shuffles in the first block reduce this bias.

    Parameters
    ----------
    test: callable
        `context_dependence_test`, `necessity_test`, `sufficiency_test`, `distance_test`, `tile_set_sufficiency_test` or
        `interaction_map`. (Greedy searches evaluate other tiles when n changes, and swap tests shuffle nothing.)

    model, X, *what:
        Positional arguments of the test: the model, the sequences, shape (N, 4, L), and spans.

    effect: callable, str or sequence of str
        A function of the activities in the columns of the result's `to_frame`, or names in `stats.EFFECTS`. The
        standard errors of all named effects must be below `tol`.

    tol: float
        Threshold of the standard error, in units of the effect.

    n: int, optional
        Shuffles per block, at least 2. Default is 10.

    n_max: int, optional
        Largest number of shuffles per example. Default is 100.

    shuffle_fn, random_state: optional
        As in the test.

    **kwargs: optional
        Further arguments of the test. `backgrounds` must hold at least `n_max` per example.

    Returns
    -------
    result: AdaptiveResult
        `result`, `n` (N,), `sem` (N,) and `converged` (N,).

    Raises
    ------
    ValueError
        If the test is not one of those above, `tol` is not above 0, there are fewer backgrounds than `n_max`, or the
        test raises an error.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> X = random_one_hot((2, 4, 60), random_state=0)
    >>> result, n, sem, converged = adaptive_n(
    ...     necessity_test, CountA(), X, [(0, 20)], effect="necessity", tol=0.01, random_state=0
    ... )
    >>> n.tolist(), sem.tolist(), converged.tolist()   # a shuffle keeps the counts
    ([10, 10], [0.0, 0.0], [True, True])
    """
    axes = _shuffle_axes(test, tol, n, n_max)
    effects = list(effects_by_name({"effect": effect} if callable(effect) else effect, axes).values())
    arguments = inspect.signature(test).bind(model, X, *what, **kwargs).arguments
    options = arguments.pop("kwargs", {})
    arguments |= options
    N = len(X)
    backgrounds = arguments.pop("backgrounds", None)
    if backgrounds is not None and backgrounds.shape[1] < n_max:
        raise ValueError(f"backgrounds must be at least n_max, {n_max}, per example; got {backgrounds.shape[1]}.")
    seeds = torch.tensor(example_seeds(random_state, N))
    blocks: list[tuple[torch.Tensor, Any]] = []
    n_drawn = torch.zeros(N, dtype=torch.int64)
    sem, converged = torch.full((N,), torch.nan, dtype=torch.float64), torch.zeros(N, dtype=torch.bool)
    tables: list[pd.DataFrame] = []
    active, first = torch.arange(N), 0
    while len(active) and first < n_max:
        size = min(n, n_max - first)
        block = {name: _rows_of(name, value, active, N) for name, value in arguments.items()}
        if backgrounds is not None:
            block["backgrounds"] = backgrounds[active][:, first : first + size]
        later = later_shuffles(shuffle_fn, first)
        # Later blocks repeat what the first has warned of, the tiles and the model.
        with dropped("", category=TangermemeWarning) if first else nullcontext():
            result = test(**block, n=size, shuffle_fn=later, random_state=seeds[active])
        blocks.append((active, result))
        n_drawn[active] += size
        frame = result.to_frame(ids=active.tolist())
        frame["shuffle"] += first
        tables = [table[table["example"].isin(active.tolist())] for table in tables] + [frame]
        sem[active] = _largest_error(pd.concat(tables), effects, active)
        converged = sem < tol
        active, first = active[(sem[active] >= tol)], first + size
    return AdaptiveResult(_join_blocks(blocks, axes, N, int(n_drawn.max())), n_drawn, sem, converged)


def _shuffle_axes(test: Callable[..., Any], tol: float, n: int, n_max: int) -> dict[str, int]:
    """Check the options and return the axis of shuffles of each field of the test's result."""
    if test not in _SHUFFLE_AXES:
        names = ", ".join(function.__name__ for function in _SHUFFLE_AXES)
        raise ValueError(f"test must be one of {names}; got {getattr(test, '__name__', repr(test))}.")
    if not tol > 0:
        raise ValueError(f"tol must be above 0; got {tol}.")
    check_count("n", n, minimum=2)
    check_count("n_max", n_max, minimum=n)
    return _SHUFFLE_AXES[test]


def _rows_of(name: str, value: Any, active: torch.Tensor, n_examples: int) -> Any:
    """Return the part of an argument that belongs to the examples that still need shuffles."""
    if name == "X":
        return value[active]
    if name == "args" and value is not None:
        return [arg[active.to(arg.device)] for arg in value]
    if name in _ROW_PER_EXAMPLE:
        spans = integers(value, name)
        if spans.ndim == _ROW_PER_EXAMPLE[name] and len(spans) == n_examples:
            return spans[active]
    return value


def _largest_error(table: pd.DataFrame, effects: Sequence[Effect], active: torch.Tensor) -> torch.Tensor:
    """Compute the largest standard error of each active example; NaN if all its effects are undefined."""
    columns = list(dict.fromkeys(name for effect in effects for name in activities_of(effect)))
    groups, blocks = shuffles_side_by_side(table, columns)
    errors = pd.Series(np.nan, index=active.tolist())
    for rows, values in blocks:
        for effect in effects:
            shuffles = {name: values[name] for name in activities_of(effect)}
            sem = np.where(only_rounding(effect, shuffles), 0.0, standard_error(effect, shuffles))
            largest = pd.Series(sem).groupby(groups["example"].to_numpy()[rows]).max()
            errors = np.fmax(errors, largest.reindex(errors.index))
    return torch.from_numpy(errors.to_numpy(dtype=np.float64, copy=True))


def _join_blocks(blocks: Sequence[tuple[torch.Tensor, Any]], axes: dict[str, int], n_examples: int, n: int) -> Any:
    """Join the results of all blocks, with NaN for shuffles that were not drawn."""
    first = blocks[0][1]
    fields = {}
    for name in first._fields:
        if name not in axes:
            fields[name] = getattr(first, name)  # without shuffles, the first block holds all examples
            continue
        outputs = [(rows, getattr(result, name)) for rows, result in blocks]
        if isinstance(outputs[0][1], torch.Tensor):
            fields[name] = _join_axis(outputs, axes[name], n_examples, n)
        else:
            fields[name] = [
                _join_axis([(rows, y[k]) for rows, y in outputs], axes[name], n_examples, n)
                for k in range(len(outputs[0][1]))
            ]
    return type(first)(**fields)


def _join_axis(
    outputs: Sequence[tuple[torch.Tensor, torch.Tensor]], axis: int, n_examples: int, n: int
) -> torch.Tensor:
    y = outputs[0][1]
    dtype = y.dtype if y.is_floating_point() else torch.float64
    joined = torch.full((n_examples, *y.shape[1:axis], n, *y.shape[axis + 1 :]), torch.nan, dtype=dtype)
    first = 0
    for rows, part in outputs:
        size = part.shape[axis]
        at: tuple[Any, ...] = (rows, *[slice(None)] * (axis - 1), slice(first, first + size))
        joined[at] = part.to(dtype)
        first += size
    return joined
