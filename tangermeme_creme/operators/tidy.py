"""Turn arrays with named axes into tables with one row per number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..engine import Output
from ..sequence import Spans, integers

Labels = Sequence[Any] | np.ndarray | None
Axis = dict[str, np.ndarray]


def labelled(name: str, size: int, labels: Labels, argument: str) -> Axis:
    """Return one axis with a column of labels, 0, 1, 2, ... by default.

    Examples
    --------
    >>> labelled("example", 2, ["GATA2", "MYADM"], "ids")
    {'example': array(['GATA2', 'MYADM'], dtype=object)}
    """
    if labels is None:
        return {name: np.arange(size)}
    if len(labels) != size:
        raise ValueError(f"{argument} must have {size} entries, one for each {name}; got {len(labels)}.")
    column = np.empty(size, dtype=object)
    column[:] = list(labels)  # a label that is a tuple stays a tuple
    return {name: column}


def shuffle_axis(size: int) -> Axis:
    """Return the axis of shuffles or backgrounds: their index."""
    return labelled("shuffle", size, None, "shuffles")


def tile_axis(size: int, tiles: Spans | None) -> Axis:
    """Return the axis of tiles: their index, and start and end in bp if `tiles` are given.

    Examples
    --------
    >>> tile_axis(1, [(5, 9)])
    {'tile': array([0]), 'start': array([5]), 'end': array([9])}
    """
    axis: Axis = {"tile": np.arange(size)}
    if tiles is not None:
        spans = integers(tiles, "tiles").numpy()
        spans = spans[None] if spans.shape == (2,) else spans
        if spans.shape != (size, 2):
            raise ValueError(f"tiles must have shape ({size}, 2), as in the test; got {spans.shape}.")
        axis |= {"start": spans[:, 0], "end": spans[:, 1]}
    return axis


def pair_axis(tiles: Axis, first: torch.Tensor, second: torch.Tensor) -> Axis:
    """Return the axis of pairs: the columns of the axis of tiles, for the first and for the second tile of each pair.

    Examples
    --------
    >>> pair_axis(tile_axis(3, None), torch.tensor([0, 1]), torch.tensor([2, 2]))
    {'tile_1': array([0, 1]), 'tile_2': array([2, 2])}
    """
    both = enumerate((first.numpy(), second.numpy()), start=1)
    return {f"{name}_{k}": labels[which] for k, which in both for name, labels in tiles.items()}


def position_axis(size: int, positions: Spans | None) -> Axis:
    """Return the axis of positions: their index, and the start in bp if `positions` are given.

    Examples
    --------
    >>> position_axis(2, [5, 9])
    {'position': array([0, 1]), 'start': array([5, 9])}
    """
    axis: Axis = {"position": np.arange(size)}
    if positions is not None:
        starts = integers(positions, "positions").numpy()
        if starts.shape != (size,):
            raise ValueError(f"positions must have shape ({size},), as in the test; got {starts.shape}.")
        axis["start"] = starts
    return axis


def tidy(
    axes: Sequence[Axis], fields: Mapping[str, tuple[Output, Sequence[int]]], tracks: Labels = None
) -> pd.DataFrame:
    """Return one row per element of the product of `axes` and the output axes of the model.

    Parameters
    ----------
    axes: sequence of dict, column name -> labels
        The axes that the rows range over.

    fields: dict, column name -> (values, indices of the axes that they have, in order)
        A field that lacks an axis is repeated along it. Several outputs of a model follow each other, with their
        number in column `output`.

    tracks: labels of the output axis of the model, optional
        One output axis becomes column `track`; several axes become `axis_0`, `axis_1` and so on.

    Returns
    -------
    frame: pandas.DataFrame

    Examples
    --------
    >>> wt, mut = torch.tensor([[7.0]]), torch.tensor([[[1.0], [2.0]]])
    >>> tidy([labelled("example", 1, ["a"], "ids"), tile_axis(2, None)], {"y_wt": (wt, (0,)), "y_mut": (mut, (0, 1))})
      example  tile  track  y_wt  y_mut
    0       a     0      0   7.0    1.0
    1       a     1      0   7.0    2.0
    """
    first = next(iter(fields.values()))[0]
    if isinstance(first, torch.Tensor):
        single = {name: (_array(values), over) for name, (values, over) in fields.items()}
        return _tidy(axes, single, tracks)
    frames = []
    for k in range(len(first)):
        part = {name: (_array(values[k]), over) for name, (values, over) in fields.items()}
        frame = _tidy(axes, part, tracks)
        frame.insert(0, "output", k)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _array(values: Output) -> np.ndarray:
    assert isinstance(values, torch.Tensor)
    if values.dtype in (torch.bfloat16, torch.float16):
        values = values.float()
    return values.numpy()


def _tidy(axes: Sequence[Axis], fields: Mapping[str, tuple[np.ndarray, Sequence[int]]], tracks: Labels) -> pd.DataFrame:
    sizes = [len(next(iter(axis.values()))) for axis in axes]
    values, over = next(iter(fields.values()))
    own = values.shape[len(over) :]
    if len(own) == 1:
        axes = [*axes, labelled("track", own[0], tracks, "tracks")]
    elif tracks is not None:
        raise ValueError(f"tracks label a single output axis; got output axes of shape {tuple(own)}.")
    else:
        axes = [*axes, *({f"axis_{k}": np.arange(size)} for k, size in enumerate(own))]
    shape = (*sizes, *own)
    columns: dict[str, np.ndarray] = {}
    for k, axis in enumerate(axes):
        aligned = [1] * len(shape)
        aligned[k] = shape[k]
        for name, labels in axis.items():
            columns[name] = np.broadcast_to(labels.reshape(aligned), shape).ravel()
    for name, (array, along) in fields.items():
        kept = [size if k in along else 1 for k, size in enumerate(sizes)]
        columns[name] = np.broadcast_to(array.reshape(*kept, *own), shape).ravel()
    return pd.DataFrame(columns)
