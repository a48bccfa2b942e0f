"""Reduce the output of any model to one number per track: (N, tracks)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import torch

Head = str | int | Callable[[Any], torch.Tensor] | None
Tracks = Sequence[int | Sequence[int]] | None

_REDUCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "mean": lambda y: y.mean(-1),
    "sum": lambda y: y.sum(-1),
    "max": lambda y: y.amax(-1),
}


class Readout(torch.nn.Module):
    """Wrap any model to predict one number per track.

    A readout selects a head, tracks and bins, and reduces the bins. CREME reads TSS activity in this way (Toneyan &
    Koo 2024, Methods, "Transcription start site selection": the mean of the two central bins of one CAGE track of
    Enformer). The model is not changed, and tangermeme accepts a readout as a model. One forward pass per sequence.

    Parameters
    ----------
    model: torch.nn.Module
        The output of the model, or one head of the output, has shape (N, bins, tracks) or (N, tracks, bins); or
        (N, tracks) with ``bin_axis=None``, or (N, bins) with ``track_axis=None``.

    head: str, int, callable or None, optional
        Head to read: a key of a dict, an index of a list or tuple, or a function of the output. None reads the output
        itself. Default is None.

    tracks: sequence of int or of sequences of int, or None, optional
        Tracks to read, in this order. Tracks in an inner sequence, for example the two strands of one sample, are
        summed. None is all. Default is None.

    bins: sequence of int or None, optional
        Bins to read, for example from `tss_bins`. None is all. Default is None.

    reduce: "mean", "sum" or "max", optional
        Reduction over the bins. Default is "mean".

    bin_axis, track_axis: int or None, optional
        Axes of the output; the examples are axis 0. Defaults are 1 and 2, as in Enformer; Borzoi and most profile
        models have (N, tracks, bins): ``bin_axis=2, track_axis=1``.

    n_fill: float or None, optional
        What the model gets in all four rows of an unknown base, as in its training: 0.25 for many models, 0 for
        others. None leaves zeros there, and tests warn of them. Default is None.

    Raises
    ------
    ValueError
        At construction, if an argument is invalid; at the first prediction, if the output has other axes, or a head,
        track or bin does not exist.

    Examples
    --------
    >>> class Profile(torch.nn.Module):
    ...     def forward(self, X):
    ...         return {"human": X.cumsum(-1).transpose(1, 2)}   # (N, bins, tracks)
    >>> readout = Readout(Profile(), head="human", tracks=[3, (0, 1)], bins=[4, 5])
    >>> readout(torch.eye(4)[None].repeat(1, 1, 2))
    tensor([[1.0000, 3.5000]])
    """

    def __init__(
        self,
        model: torch.nn.Module,
        *,
        head: Head = None,
        tracks: Tracks = None,
        bins: Sequence[int] | None = None,
        reduce: str = "mean",
        bin_axis: int | None = 1,
        track_axis: int | None = 2,
        n_fill: float | None = None,
    ) -> None:
        super().__init__()
        if reduce not in _REDUCTIONS:
            raise ValueError(f"reduce must be one of {', '.join(map(repr, _REDUCTIONS))}; got {reduce!r}.")
        axes = [axis for axis in (bin_axis, track_axis) if axis is not None]
        if not axes or sorted(axes) != list(range(1, 1 + len(axes))):
            raise ValueError(
                f"bin_axis and track_axis must be the axes after the examples; got {bin_axis} and {track_axis}."
            )
        if bin_axis is None and bins is not None:
            raise ValueError(f"bins need a bin_axis; got bins {list(bins)} and bin_axis None.")
        if track_axis is None and tracks is not None:
            raise ValueError(f"tracks need a track_axis; got tracks {list(tracks)} and track_axis None.")
        groups = None if tracks is None else [[t] if isinstance(t, int) else [int(u) for u in t] for t in tracks]
        if (groups is not None and not (groups and all(groups))) or (bins is not None and not len(bins)):
            raise ValueError(f"tracks and bins must name at least one; got {tracks} and {bins}.")
        if n_fill is not None and (
            isinstance(n_fill, bool) or not isinstance(n_fill, (int, float)) or not isfinite(n_fill)
        ):
            raise ValueError(f"n_fill must be a number, or None; got {n_fill!r}.")
        self.model, self.n_fill = model, None if n_fill is None else float(n_fill)
        self.training = model.training  # tangermeme's `predict` gives all modules the mode of the outermost one back
        self._head, self._groups = head, groups
        self._bins = None if bins is None else [int(b) for b in bins]
        self._reduce, self._bin_axis, self._track_axis = reduce, bin_axis, track_axis

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """Predict one number per track.

        Parameters
        ----------
        X: torch.Tensor, shape=(N, 4, L)

        *args: torch.Tensor
            Further inputs of the model.

        Returns
        -------
        y: torch.Tensor, shape=(N, tracks)
        """
        return self._read(self._arranged(X, *args))

    def _arranged(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """Predict (N, tracks, bins); an axis that the output lacks has size 1."""
        if self.n_fill:
            X = X.masked_fill((X == 0).all(1, keepdim=True), self.n_fill)
        y = self._pick_head(self.model(X, *args))
        expected = 1 + sum(axis is not None for axis in (self._bin_axis, self._track_axis))
        if y.ndim != expected:
            raise ValueError(f"the output must have {expected} axes; got shape {tuple(y.shape)}.")
        if self._track_axis is None:
            return y.unsqueeze(1)
        if self._bin_axis is None:
            return y.unsqueeze(2)
        return y.transpose(1, 2) if self._bin_axis < self._track_axis else y

    def _read(self, y: torch.Tensor) -> torch.Tensor:
        return self._sum_groups(_REDUCTIONS[self._reduce](self._select(y, 2, self._bins, "bins")))

    def _sum_groups(self, y: torch.Tensor) -> torch.Tensor:
        if self._groups is None:
            return y
        tracks = self._select(y, 1, [t for group in self._groups for t in group], "tracks")
        if all(len(group) == 1 for group in self._groups):
            return tracks
        return torch.stack([part.sum(1) for part in tracks.split([len(g) for g in self._groups], dim=1)], dim=1)

    def _pick_head(self, y: Any) -> torch.Tensor:
        head = self._head
        if callable(head):
            y = head(y)
        elif head is not None:
            if isinstance(y, Mapping):
                known: Iterable[Any] = y.keys()
            elif isinstance(y, (list, tuple)):
                known = range(len(y))
            else:
                raise ValueError(f"head {head!r} needs a model with several outputs; got {type(y).__name__}.")
            if head not in known:
                raise ValueError(f"head must be one of {list(known)}; got {head!r}.")
            y = y[head]
        if not isinstance(y, torch.Tensor):
            raise ValueError(f"the output must be a tensor; got {type(y).__name__}. Give head to pick one.")
        return y

    @staticmethod
    def _select(y: torch.Tensor, axis: int, index: list[int] | None, name: str) -> torch.Tensor:
        if index is None:
            return y
        size = y.shape[axis]
        for i in index:
            if not 0 <= i < size:
                raise ValueError(f"{name} must be in [0, {size}); got {i}.")
        return y.index_select(axis, torch.tensor(index, device=y.device))


class PeakReadout(Readout):
    """Predict the activity at the TSS, as `Readout`, and the distance from the TSS to the highest bin of each track.

    `rank_by_activity` can leave out windows whose predicted maximum is not at the TSS. One forward pass per sequence.

    Parameters
    ----------
    model: torch.nn.Module
        As in `Readout`; the output must have bins.

    position: int
        Position of the TSS in bp of the window: ``length // 2`` in a window that is centred on the TSS.

    bin_size: int
        Width of a bin in bp.

    n_bins: int
        Number of bins of the output.

    first_bp: int, optional
        Start of the first bin in bp of the window. Default is 0.

    width: int, optional
        Number of bins around the TSS that are read. Default is 2.

    **readout: optional
        `head`, `tracks`, `reduce`, `bin_axis` and `track_axis`, as in `Readout`.

    Raises
    ------
    ValueError
        As `Readout` and `tss_bins`, or at the first prediction if the output does not have `n_bins` bins.

    Examples
    --------
    >>> class Profile(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X.cumsum(-1).transpose(1, 2)   # (N, bins, tracks)
    >>> readout = PeakReadout(Profile(), position=4, bin_size=1, n_bins=8, tracks=[3])
    >>> [y.tolist() for y in readout(torch.eye(4)[None].repeat(1, 1, 2))]   # highest in the last bin, [7, 8)
    [[[1.0]], [[3.5]]]
    """

    def __init__(
        self,
        model: torch.nn.Module,
        *,
        position: int,
        bin_size: int,
        n_bins: int,
        first_bp: int = 0,
        width: int = 2,
        **readout: Any,
    ) -> None:
        bins = tss_bins(position, bin_size=bin_size, n_bins=n_bins, first_bp=first_bp, width=width)
        super().__init__(model, bins=bins, **readout)
        self._n_bins, self._bin_size = n_bins, bin_size
        self._first_offset = first_bp + bin_size / 2 - position  # from the TSS to the middle of the first bin

    def forward(  # type: ignore[override]
        self, X: torch.Tensor, *args: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict the activity of each track and the offset of its highest bin.

        Parameters
        ----------
        X: torch.Tensor, shape=(N, 4, L)

        *args: torch.Tensor
            Further inputs of the model.

        Returns
        -------
        activity: torch.Tensor, shape=(N, tracks)

        offset: torch.Tensor, shape=(N, tracks), dtype=float32
            Distance in bp from the edge before the TSS base to the middle of the highest bin; of equal bins the first.
        """
        y = self._arranged(X, *args)
        if y.shape[2] != self._n_bins:
            raise ValueError(f"the output must have {self._n_bins} bins; got {y.shape[2]}.")
        return self._read(y), self._sum_groups(y).argmax(2).float() * self._bin_size + self._first_offset


def tss_bins(position: int, *, bin_size: int, n_bins: int, first_bp: int = 0, width: int = 2) -> tuple[int, ...]:
    """Find the output bins around a position of the window.

    An even number of bins is centred on the bin edge nearest to the position, an odd number on the bin that holds the
    position.

    Parameters
    ----------
    position: int
        Position in bp of the window, usually of the TSS.

    bin_size: int
        Width of an output bin in bp.

    n_bins: int
        Number of output bins.

    first_bp: int, optional
        Start of the first bin in bp of the window: the bp that the model crops on the left. Default is 0.

    width: int, optional
        Number of bins to return. Default is 2.

    Returns
    -------
    bins: tuple of int

    Raises
    ------
    ValueError
        If a bin would leave the output.

    Examples
    --------
    The central bins of Enformer, whose 896 bins leave out 40,960 bp at each end of the window:

    >>> tss_bins(196_608 // 2, bin_size=128, n_bins=896, first_bp=40_960)
    (447, 448)
    """
    if width < 1 or bin_size < 1:
        raise ValueError(f"width and bin_size must be at least 1; got {width} and {bin_size}.")
    offset = position - first_bp
    centre = (offset + bin_size // 2) // bin_size if width % 2 == 0 else offset // bin_size
    first = centre - width // 2
    if first < 0 or first + width > n_bins:
        raise ValueError(
            f"the bins around a position must lie in the output of {n_bins} bins; got bins [{first}, {first + width}) "
            f"for position {position}."
        )
    return tuple(range(first, first + width))
