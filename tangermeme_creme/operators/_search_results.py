"""Result types of the greedy searches: values of the objective, not raw predictions."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import torch

from ..engine import Output
from ..sequence import Span, Spans
from .tidy import Labels, labelled, position_axis, shuffle_axis, tidy, tile_axis


class GreedyResult(NamedTuple):
    """Result of `higher_order_interaction_test`: values of the objective, not raw predictions.

    Parameters
    ----------
    order: torch.Tensor, shape=(N, R), dtype=int64
        The tile that was fixed in each round.

    y_start: torch.Tensor, shape=(N, R + 1)
        The objective before each round, and after the last; [:, 0] is the wild type.

    y_candidates: torch.Tensor, shape=(N, R, T, n)
        The objective with each tile shuffled; NaN for tiles that are already fixed.

    y_selected: torch.Tensor, shape=(N, R)
        The mean over shuffles of the tile that was fixed.

    y_holdout: torch.Tensor, shape=(N, R), or None
        The mean over shuffles that took no part in the choice.
    """

    order: torch.Tensor
    y_start: torch.Tensor
    y_candidates: torch.Tensor
    y_selected: torch.Tensor
    y_holdout: torch.Tensor | None

    def to_frame(self, *, tiles: Spans | None = None, ids: Labels = None) -> pd.DataFrame:
        """Return one row per (example, round, tile, shuffle) that was tried; `selected` marks the tile that was fixed.

        `y_start`, `y_selected` and, with a holdout, `y_holdout` are those of the round.
        """
        N, R, T, n = self.y_candidates.shape
        axes = [
            labelled("example", N, ids, "ids"),
            labelled("round", R, None, "rounds"),
            tile_axis(T, tiles),
            shuffle_axis(n),
        ]
        fields: dict[str, tuple[Output, tuple[int, ...]]] = {
            "y_start": (self.y_start[:, :R], (0, 1)),
            "y_mut": (self.y_candidates, (0, 1, 2, 3)),
            "selected": (self.order[..., None] == torch.arange(T), (0, 1, 2)),
            "y_selected": (self.y_selected, (0, 1)),
        }
        if self.y_holdout is not None:
            fields["y_holdout"] = (self.y_holdout, (0, 1))
        frame = tidy(axes, fields)
        return frame[frame["y_mut"].notna()].reset_index(drop=True)


class MultiplicityResult(NamedTuple):
    """Result of `multiplicity_test`: values of the objective, not raw predictions.

    Parameters
    ----------
    y_control: torch.Tensor, shape=(N, n)
        The TSS tile in shuffled context.

    y_original: torch.Tensor, shape=(N, n)
        The TSS tile, and one copy of the CRE at its original position.

    positions: torch.Tensor, shape=(N, R), dtype=int64
        The start in bp at which a copy was added in each round.

    y_candidates: torch.Tensor, shape=(N, R, P, n)
        The objective with a copy at each position; NaN for positions that already have one.

    y_selected: torch.Tensor, shape=(N, R)
        The mean over backgrounds of the position that was chosen.
    """

    y_control: torch.Tensor
    y_original: torch.Tensor
    positions: torch.Tensor
    y_candidates: torch.Tensor
    y_selected: torch.Tensor

    def to_frame(self, *, positions: Spans | None = None, ids: Labels = None) -> pd.DataFrame:
        """Return one row per (example, round, position, shuffle) that was tried; `copies` is the number of copies.

        Parameters
        ----------
        positions: shape=(P,), optional
            The positions of the test, for columns `start`, in bp, and `selected`. Default is None.

        ids: sequence or None, optional
            N names for column `example`. Default is None, 0 to N - 1.
        """
        N, R, P, n = self.y_candidates.shape
        rounds = labelled("round", R, None, "rounds")
        position = position_axis(P, positions)
        axes = [
            labelled("example", N, ids, "ids"),
            {**rounds, "copies": rounds["round"] + 1},
            position,
            shuffle_axis(n),
        ]
        fields: dict[str, tuple[Output, tuple[int, ...]]] = {
            "y_control": (self.y_control, (0, 3)),
            "y_original": (self.y_original, (0, 3)),
            "y_mut": (self.y_candidates, (0, 1, 2, 3)),
            "y_selected": (self.y_selected, (0, 1)),
        }
        if "start" in position:
            taken = self.positions[..., None] == torch.from_numpy(position["start"])
            fields["selected"] = (taken, (0, 1, 2))
        frame = tidy(axes, fields)
        return frame[frame["y_mut"].notna()].reset_index(drop=True)


class FineTileStep(NamedTuple):
    """One step of a fine-tile search.

    Parameters
    ----------
    stage: int
        Index of the stage; the first step of stage 0 is the whole CRE.

    bp_kept: int
        How many bp of the CRE are kept after the step.

    score: float
        The score with the kept bp.

    removed: tuple of (start, end)
        The sub-tiles that this step replaced by background, in bp of the window.
    """

    stage: int
    bp_kept: int
    score: float
    removed: tuple[Span, ...]


class FineTileResult(NamedTuple):
    """Result of `fine_tile_search`.

    Parameters
    ----------
    kept: list of N lists of (start, end)
        The kept spans of each CRE, in bp of the window; spans that touch are merged.

    mask: torch.Tensor, shape=(N, cre_length), dtype=bool
        The same spans as one flag per base of the CRE.

    trace: list of N lists of FineTileStep
        The steps of each example, the whole CRE first.
    """

    kept: list[list[Span]]
    mask: torch.Tensor
    trace: list[list[FineTileStep]]

    def to_frame(self, *, ids: Labels = None) -> pd.DataFrame:
        """Return one row per step: `example`, `step`, `stage`, `bp_kept`, `score`, `removed` ("start-end;...")."""
        names = labelled("example", len(self.trace), ids, "ids")["example"]
        rows = [
            (name, k, *step[:3], ";".join(f"{start}-{end}" for start, end in step.removed))
            for name, steps in zip(names, self.trace)
            for k, step in enumerate(steps)
        ]
        return pd.DataFrame(rows, columns=["example", "step", "stage", "bp_kept", "score", "removed"])

    def kept_frame(self, *, ids: Labels = None) -> pd.DataFrame:
        """Return one row per kept span: `example`, `start`, `end`, in bp of the window."""
        names = labelled("example", len(self.kept), ids, "ids")["example"]
        rows = [(name, *span) for name, spans in zip(names, self.kept) for span in spans]
        return pd.DataFrame(rows, columns=["example", "start", "end"])
