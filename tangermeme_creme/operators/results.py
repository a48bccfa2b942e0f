"""Result types of the tests: raw model outputs with named axes, and a tidy table of each.

A model with several outputs gives a list of tensors in each field.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import torch

from ..engine import Output, map_output
from ..sequence import Spans
from ._search_results import FineTileResult, FineTileStep, GreedyResult, MultiplicityResult
from .tidy import Labels, labelled, pair_axis, position_axis, shuffle_axis, tidy, tile_axis

__all__ = [
    "ContextResult",
    "DistanceResult",
    "FineTileResult",
    "FineTileStep",
    "GreedyResult",
    "InteractionMapResult",
    "MultiplicityResult",
    "NecessityResult",
    "SetSufficiencyResult",
    "SufficiencyResult",
    "SwapResult",
]


def _size(y: Output, axis: int) -> int:
    return (y if isinstance(y, torch.Tensor) else y[0]).shape[axis]


def _ndim(y: Output) -> int:
    return (y if isinstance(y, torch.Tensor) else y[0]).ndim


class ContextResult(NamedTuple):
    """Result of `context_dependence_test`; `*` is the output shape of the model.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)
        The unedited sequences.

    y_mut: torch.Tensor, shape=(N, n, *)
        The tile in shuffled context.
    """

    y_wt: Output
    y_mut: Output

    def to_frame(self, *, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, shuffle, track): `example`, `shuffle`, `track`, `y_wt`, `y_mut`.

        Parameters
        ----------
        ids: sequence or None, optional
            N names for column `example`. Default is None, 0 to N - 1.

        tracks: sequence or None, optional
            Names for column `track`. An output of several axes gives `axis_0`, `axis_1` instead. Default is None.
        """
        axes = [labelled("example", _size(self.y_mut, 0), ids, "ids"), shuffle_axis(_size(self.y_mut, 1))]
        return tidy(axes, {"y_wt": (self.y_wt, (0,)), "y_mut": (self.y_mut, (0, 1))}, tracks)


class SwapResult(NamedTuple):
    """Result of `context_swap_test`.

    Parameters
    ----------
    y_source: torch.Tensor, shape=(Ns, *)

    y_target: torch.Tensor, shape=(Nt, *)

    y_mut: torch.Tensor, shape=(Ns, Nt, *), or (N, *) for matched pairs
        The tile of the source in the context of the target.
    """

    y_source: Output
    y_target: Output
    y_mut: Output

    def to_frame(self, *, source_ids: Labels = None, target_ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (source, target, track): `source`, `target`, `track`, `y_source`, `y_target`, `y_mut`.

        Matched pairs give one row per pair and track.
        """
        sources = labelled("source", _size(self.y_source, 0), source_ids, "source_ids")
        targets = labelled("target", _size(self.y_target, 0), target_ids, "target_ids")
        if _ndim(self.y_mut) == _ndim(self.y_source):
            axes, over = [{**sources, **targets}], ((0,), (0,), (0,))
        else:
            axes, over = [sources, targets], ((0,), (1,), (0, 1))  # type: ignore[assignment]
        fields = zip(("y_source", "y_target", "y_mut"), zip(self, over))
        return tidy(axes, dict(fields), tracks)


class NecessityResult(NamedTuple):
    """Result of `necessity_test`.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)

    y_mut: torch.Tensor, shape=(N, T, n, *)
        One tile shuffled.
    """

    y_wt: Output
    y_mut: Output

    def to_frame(self, *, tiles: Spans | None = None, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, tile, shuffle, track), with `start` and `end` in bp if `tiles` are given."""
        axes = [
            labelled("example", _size(self.y_mut, 0), ids, "ids"),
            tile_axis(_size(self.y_mut, 1), tiles),
            shuffle_axis(_size(self.y_mut, 2)),
        ]
        return tidy(axes, {"y_wt": (self.y_wt, (0,)), "y_mut": (self.y_mut, (0, 1, 2))}, tracks)


class SufficiencyResult(NamedTuple):
    """Result of `sufficiency_test`.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)

    y_control: torch.Tensor, shape=(N, n, *)
        The TSS tile in shuffled context.

    y_mut: torch.Tensor, shape=(N, T, n, *)
        The TSS tile and one other tile in the same shuffled contexts.
    """

    y_wt: Output
    y_control: Output
    y_mut: Output

    def to_frame(self, *, tiles: Spans | None = None, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, tile, shuffle, track), with the `y_wt` and `y_control` of the row."""
        axes = [
            labelled("example", _size(self.y_mut, 0), ids, "ids"),
            tile_axis(_size(self.y_mut, 1), tiles),
            shuffle_axis(_size(self.y_mut, 2)),
        ]
        fields = zip(self._fields, zip(self, ((0,), (0, 2), (0, 1, 2))))
        return tidy(axes, dict(fields), tracks)


class DistanceResult(NamedTuple):
    """Result of `distance_test`.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)

    y_control: torch.Tensor, shape=(N, n, *)
        The TSS tile in shuffled context.

    y_original: torch.Tensor, shape=(N, n, *)
        The TSS tile, and the CRE at its original position.

    y_mut: torch.Tensor, shape=(N, P, n, *)
        The TSS tile, and the CRE at each position.
    """

    y_wt: Output
    y_control: Output
    y_original: Output
    y_mut: Output

    def to_frame(self, *, positions: Spans | None = None, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, position, shuffle, track), with `start` in bp if `positions` are given."""
        axes = [
            labelled("example", _size(self.y_mut, 0), ids, "ids"),
            position_axis(_size(self.y_mut, 1), positions),
            shuffle_axis(_size(self.y_mut, 2)),
        ]
        fields = zip(self._fields, zip(self, ((0,), (0, 2), (0, 2), (0, 1, 2))))
        return tidy(axes, dict(fields), tracks)


class SetSufficiencyResult(NamedTuple):
    """Result of `tile_set_sufficiency_test`.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)

    y_control: torch.Tensor, shape=(N, n, *)
        The TSS tile in shuffled context.

    y_mut: torch.Tensor, shape=(N, R, n, *)
        The TSS tile and the first r + 1 tiles of the order.
    """

    y_wt: Output
    y_control: Output
    y_mut: Output

    def to_frame(self, *, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, round, shuffle, track); `n_tiles` is the number of tiles so far."""
        rounds = labelled("round", _size(self.y_mut, 1), None, "rounds")
        axes = [
            labelled("example", _size(self.y_mut, 0), ids, "ids"),
            {**rounds, "n_tiles": rounds["round"] + 1},
            shuffle_axis(_size(self.y_mut, 2)),
        ]
        fields = zip(self._fields, zip(self, ((0,), (0, 2), (0, 1, 2))))
        return tidy(axes, dict(fields), tracks)


class InteractionMapResult(NamedTuple):
    """Result of `interaction_map`.

    Parameters
    ----------
    y_wt: torch.Tensor, shape=(N, *)

    y_single: torch.Tensor, shape=(N, T, n, *)
        One tile shuffled.

    y_pair: torch.Tensor, shape=(N, T * (T - 1) / 2, n, *)
        Two tiles shuffled, in the order of `itertools.combinations`.
    """

    y_wt: Output
    y_single: Output
    y_pair: Output

    def to_frame(self, *, tiles: Spans | None = None, ids: Labels = None, tracks: Labels = None) -> pd.DataFrame:
        """Return one row per (example, pair, shuffle, track): `tile_1`, `tile_2`, `y_wt`, `y_1`, `y_2`, `y_both`.

        If `tiles` are given, also `start_1`, `end_1`, `start_2` and `end_2` in bp.
        """
        first, second = torch.combinations(torch.arange(_size(self.y_single, 1))).unbind(1)
        axes = [
            labelled("example", _size(self.y_pair, 0), ids, "ids"),
            pair_axis(tile_axis(_size(self.y_single, 1), tiles), first, second),
            shuffle_axis(_size(self.y_pair, 2)),
        ]
        fields: dict[str, tuple[Output, tuple[int, ...]]] = {
            "y_both": (self.y_pair, (0, 1, 2)),
            "y_wt": (self.y_wt, (0,)),
            "y_1": (map_output(lambda y: y[:, first], self.y_single), (0, 1, 2)),
            "y_2": (map_output(lambda y: y[:, second], self.y_single), (0, 1, 2)),
        }
        return tidy(axes, fields, tracks)
