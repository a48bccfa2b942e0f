"""As many shuffles as it takes: draw until the standard error of an effect is small enough."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
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
from .named_effects import effects_by_name
from .resampling import Effect, activities_of, standard_error
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
# Arguments that may have a row an example, and their number of axes if they have one.
_BY_EXAMPLE = {"tile": 2, "tss_tile": 2, "cre_tile": 2, "order": 2}


class AdaptiveResult(NamedTuple):
    """What `adaptive_n` returns.

    Parameters
    ----------
    result: the result type of the test
        Its axis of shuffles is as long as the longest run; what an example did not need is NaN.

    n: torch.Tensor, shape=(N,), dtype=int64
        How many shuffles each example took.

    sem: torch.Tensor, shape=(N,), dtype=float64
        The largest standard error among the effects of each example.

    converged: torch.Tensor, shape=(N,), dtype=bool
        Whether it is below `tol`. False is the flag of an example that stopped at `n_max`, or whose effects are all
        undefined.
    """

    result: Any
    n: torch.Tensor
    sem: torch.Tensor
    converged: torch.Tensor

    def to_frame(self, **kwargs: Any) -> pd.DataFrame:
        """The table of the result, with the shuffles that were drawn; arguments are those of its `to_frame`."""
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

    Shuffles are drawn in blocks of `n`, each going on where the one before ended, until the largest standard error of
    the effect, over the tiles (positions, rounds, pairs) and tracks of an example, is below `tol`. The shuffles that an
    example took are the first ones of a run with a fixed n, and so are its predictions. Effects that are undefined
    have no standard error and hold nothing up. Costs ``1 + k * cost`` sequences a block of k shuffles, where cost is
    that of the test for one.

    Stopping when the estimate happens to look sure makes it look a little surer than it is; less so the more shuffles
    the first block has.

    Parameters
    ----------
    test: callable
        `context_dependence_test`, `necessity_test`, `sufficiency_test`, `distance_test`, `tile_set_sufficiency_test` or
        `interaction_map`. (In greedy searches what is evaluated depends on n, and in a swap nothing is shuffled.)

    model, X, *what:
        As the test takes them: the model, the sequences, shape (N, 4, L), spans.

    effect: callable, str or sequence of str
        A function of the activities in the columns of the result's `to_frame`, or names in `stats.EFFECTS`, all of
        which must be sure.

    tol: float
        The standard error to get below, in units of the effect.

    n: int, optional
        Shuffles a block, at least 2. Default is 10.

    n_max: int, optional
        The most shuffles of an example. Default is 100.

    shuffle_fn, random_state: optional
        As in the test.

    **kwargs: optional
        Further arguments of the test. `backgrounds` must be at least `n_max` an example.

    Returns
    -------
    result: AdaptiveResult
        `result`, `n` (N,), `sem` (N,) and `converged` (N,).

    Raises
    ------
    ValueError
        If the test is none of those above, `tol` is not above 0, there are fewer backgrounds than `n_max`, or as the
        test raises.

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
    axes = _check(test, tol, n, n_max)
    effects = list(effects_by_name({"effect": effect} if callable(effect) else effect).values())
    arguments = inspect.signature(test).bind(model, X, *what, **kwargs).arguments
    options = arguments.pop("kwargs", {})
    given = {**arguments, **options}
    N = len(X)
    backgrounds = given.pop("backgrounds", None)
    if backgrounds is not None and backgrounds.shape[1] < n_max:
        raise ValueError(f"backgrounds must be at least n_max, {n_max}, an example; got {backgrounds.shape[1]}.")
    seeds = torch.tensor(example_seeds(random_state, N))
    parts: list[tuple[torch.Tensor, Any]] = []
    taken = torch.zeros(N, dtype=torch.int64)
    sem, converged = torch.full((N,), torch.nan, dtype=torch.float64), torch.zeros(N, dtype=torch.bool)
    tables: list[pd.DataFrame] = []
    left, first = torch.arange(N), 0
    while len(left) and first < n_max:
        size = min(n, n_max - first)
        some = {name: _rows(name, value, left, N) for name, value in given.items()}
        if backgrounds is not None:
            some["backgrounds"] = backgrounds[left][:, first : first + size]
        with warnings.catch_warnings():
            if first:  # what there is to say of the tiles and the model was said once
                warnings.simplefilter("ignore", TangermemeWarning)
            later = later_shuffles(shuffle_fn, first)
            result = test(**some, n=size, shuffle_fn=later, random_state=seeds[left])
        parts.append((left, result))
        taken[left] += size
        frame = result.to_frame(ids=left.tolist())
        frame["shuffle"] += first
        tables = [table[table["example"].isin(left.tolist())] for table in tables] + [frame]
        sem[left] = _largest(pd.concat(tables), effects, left)
        converged = sem < tol
        left, first = left[(sem[left] >= tol)], first + size
    return AdaptiveResult(_join(parts, axes, N, int(taken.max())), taken, sem, converged)


def _check(test: Callable[..., Any], tol: float, n: int, n_max: int) -> dict[str, int]:
    if test not in _SHUFFLE_AXES:
        names = ", ".join(function.__name__ for function in _SHUFFLE_AXES)
        raise ValueError(f"test must be one of {names}; got {getattr(test, '__name__', repr(test))}.")
    if not tol > 0:
        raise ValueError(f"tol must be above 0; got {tol}.")
    check_count("n", n, minimum=2)
    check_count("n_max", n_max, minimum=n)
    return _SHUFFLE_AXES[test]


def _rows(name: str, value: Any, left: torch.Tensor, n_examples: int) -> Any:
    """What of an argument goes with the examples that are left."""
    if name == "X":
        return value[left]
    if name == "args" and value is not None:
        return [arg[left.to(arg.device)] for arg in value]
    if name in _BY_EXAMPLE:
        spans = integers(value, name)
        if spans.ndim == _BY_EXAMPLE[name] and len(spans) == n_examples:
            return spans[left]
    return value


def _largest(table: pd.DataFrame, effects: Sequence[Effect], left: torch.Tensor) -> torch.Tensor:
    """The largest standard error of each example that is left; NaN where there is none."""
    columns = list(dict.fromkeys(name for effect in effects for name in activities_of(effect)))
    groups, blocks = shuffles_side_by_side(table, columns)
    found = pd.Series(np.nan, index=left.tolist())
    for rows, values in blocks:
        for effect in effects:
            sem = standard_error(effect, {name: values[name] for name in activities_of(effect)})
            largest = pd.Series(sem).groupby(groups["example"].to_numpy()[rows]).max()
            found = np.fmax(found, largest.reindex(found.index))
    return torch.from_numpy(found.to_numpy(dtype=np.float64, copy=True))


def _join(parts: Sequence[tuple[torch.Tensor, Any]], axes: dict[str, int], n_examples: int, n: int) -> Any:
    """One result of all blocks, with NaN for what was not drawn."""
    first = parts[0][1]
    fields = {}
    for name in first._fields:
        if name not in axes:
            fields[name] = getattr(first, name)  # no shuffles: of all examples, in the first block
            continue
        outputs = [(rows, getattr(result, name)) for rows, result in parts]
        if isinstance(outputs[0][1], torch.Tensor):
            fields[name] = _along(outputs, axes[name], n_examples, n)
        else:
            fields[name] = [
                _along([(rows, y[k]) for rows, y in outputs], axes[name], n_examples, n)
                for k in range(len(outputs[0][1]))
            ]
    return type(first)(**fields)


def _along(outputs: Sequence[tuple[torch.Tensor, torch.Tensor]], axis: int, n_examples: int, n: int) -> torch.Tensor:
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
