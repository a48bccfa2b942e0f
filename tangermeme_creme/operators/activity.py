"""Predict the activity of each TSS, and select the most active genes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ..engine import CodesSession, Output, RunOptions, check_args, check_engine_options, model_on
from ..sequence import check_count, pack
from ..sequence.genome import Fasta, stream_windows
from ..support import check_columns, warn
from .tidy import Labels

_KEY = ["chrom", "tss", "strand"]
_ADDED = ("track", "activity", "offset", "rank")


def predict_activity(
    model: torch.nn.Module,
    fasta: Fasta,
    tss: pd.DataFrame,
    *,
    length: int,
    center: int | None = None,
    tracks: Labels = None,
    args: Sequence[torch.Tensor] | None = None,
    need_offset: bool = False,
    batch_size: int = 32,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    verbose: bool = False,
) -> pd.DataFrame:
    """Predict the activity of each TSS in the window around it.

    Paper: Methods, "Transcription start site selection". Costs one sequence per TSS, for any number of tracks. At most
    one batch of windows, or about 17 million bases of them, is in memory.

    Parameters
    ----------
    model: torch.nn.Module
        Returns one number per track, shape (N, tracks) or (N,), such as a `Readout`, `EnformerTSS` or `BorzoiTSS`; or
        two outputs of this shape, such as a `PeakReadout`: the activity, and how far from the TSS the profile of the
        track is highest, in bp. Windows on '-' are reverse-complemented, so that in a model with tracks for both
        strands the '+' tracks are the sense tracks.

    fasta: path or pyfaidx.Fasta

    tss: pandas.DataFrame
        `chrom`, `tss` (0-based base), `strand` and any other columns, as `read_tss` returns them.

    length: int
        Length in bp of the windows that the model takes.

    center: int or None, optional
        Base of the windows at which the TSS lies, from the left. Default is None, the middle.

    tracks: sequence or None, optional
        Names of the tracks. Default is None, 0, 1 and so on.

    args: sequence of torch.Tensor or None, optional
        Further inputs of the model, each with one row per TSS. Default is None.

    need_offset: bool, optional
        Whether to refuse, after the first batch, a model that returns no offset. Default is False.

    batch_size, dtype, device: optional
        As in `EditSession`. Defaults are 32, None and None.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    activity: pandas.DataFrame
        One row per TSS and track, in the order of `tss`: its columns, then `track`, `activity` and, if the model
        returns it, `offset` (bp; downstream is positive).

    Raises
    ------
    ValueError
        As `extract_windows`, or if the model predicts NaN or other than one number per track, `tracks` do not name each
        track, or `tss` has a column that is added.

    Examples
    --------
    >>> import tempfile
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACCGGTTAC\\n")
    ...     tss = pd.DataFrame({"chrom": "chr1", "tss": [2, 6], "strand": ["+", "-"]})
    ...     predict_activity(CountA(), file.name, tss, length=4)
      chrom  tss strand  track  activity
    0  chr1    2      +      0       2.0
    1  chr1    6      -      0       2.0
    """
    check_engine_options(model, batch_size, False, None, dtype=dtype, device=device)
    check_args(args, len(tss))
    for name in _ADDED:
        if name in tss.columns:
            raise ValueError(f"tss must not have a column {name!r}, which is added; rename it.")
    parts: list[np.ndarray] = []
    with (
        model_on(model, device) as on,
        tqdm(total=len(tss), desc="predict_activity", unit="seq", disable=not verbose) as bar,
    ):
        first = 0
        for batch, X in stream_windows(fasta, tss, length, center=center, batch_size=batch_size):
            last = first + len(batch)
            names = [f"the window of {row.chrom}:{row.tss}{row.strand}" for row in batch[_KEY].itertuples()]
            codes = pack(X).to_codes()
            with CodesSession(
                model, codes, device=on, batch_size=batch_size, dtype=dtype, incremental=False, progress=bar,
                names=names, allow_stochastic=True, args=args and [arg[first:last] for arg in args],
            ) as session:  # fmt: skip
                parts.append(_numbers(session.predict()))
            first = last
            if len(parts) == 1:  # before the other predictions are made
                _check_tracks(tracks, parts[0].shape[2])
                if need_offset and len(parts[0]) == 1:
                    raise ValueError("the model must return an offset too, as a PeakReadout does; got activities only.")
    values = np.concatenate(parts, axis=1)
    n = values.shape[2]
    labels = np.arange(n) if tracks is None else np.array(list(tracks), dtype=object)
    rows = tss.iloc[np.repeat(np.arange(len(tss)), n)].reset_index(drop=True)
    columns = dict(zip(_ADDED[1:], (part.ravel() for part in values)))
    return rows.assign(track=np.tile(labels, len(tss)), **columns)


def select_active(activity: pd.DataFrame, top: int = 10_000, *, max_offset: float | None = None) -> pd.DataFrame:
    """Select the most active genes of each track, each gene by its most active TSS.

    Paper: Methods, "Transcription start site selection": the 10,000 genes of each cell line with the highest predicted
    activity. Costs no forward pass.

    Parameters
    ----------
    activity: pandas.DataFrame
        The table of `predict_activity`.

    top: int, optional
        Genes per track; all of them if there are fewer. Default is 10,000.

    max_offset: float or None, optional
        Leave out windows whose predicted profile is highest further than this from the TSS, in bp, before the TSS of
        each gene is chosen. Needs `offset`. None keeps all. Default is None.

    Returns
    -------
    selected: pandas.DataFrame
        The chosen rows, with `rank` from 1 within each track, sorted by track in order of appearance and then by rank.
        A gene is identified by its `gene_id`; if that is empty, by `gene_name`; if both are, by its TSS. Equal
        activities are sorted by chromosome and position.

    Raises
    ------
    ValueError
        If a column is missing, or top is below 1.

    Examples
    --------
    >>> table = pd.DataFrame({"chrom": "chr1", "tss": [1, 5, 9], "strand": "+", "gene_id": ["A", "A", "B"]})
    >>> select_active(table.assign(track=0, activity=[1.0, 3.0, 2.0]), 5)[["tss", "gene_id", "activity", "rank"]]
       tss gene_id  activity  rank
    0    5       A       3.0     1
    1    9       B       2.0     2
    """
    check_count("top", top)
    check_columns(activity, [*_KEY, "track", "activity", *([] if max_offset is None else ["offset"])], "activity")
    kept = activity if max_offset is None else activity[activity["offset"].abs() <= max_offset]
    order = kept[_KEY].reset_index(drop=True)
    order["gene"] = _genes(kept)
    order["track"] = pd.Categorical(kept["track"], categories=activity["track"].unique()).codes
    order["loss"] = -kept["activity"].to_numpy()
    order = order.sort_values(["track", "loss", *_KEY], kind="stable")
    order = order.drop_duplicates(["track", "gene"]).groupby("track", sort=False).head(top)
    rank = order.groupby("track").cumcount().to_numpy() + 1
    return kept.iloc[order.index.to_numpy()].reset_index(drop=True).assign(rank=rank)


def rank_by_activity(
    model: torch.nn.Module,
    fasta: Fasta,
    tss: pd.DataFrame,
    top: int = 10_000,
    *,
    length: int,
    max_offset: float | None = None,
    center: int | None = None,
    tracks: Labels = None,
    args: Sequence[torch.Tensor] | None = None,
    **kwargs: Unpack[RunOptions],
) -> pd.DataFrame:
    """Predict the activity of each TSS, and select the most active genes of each track.

    Calls `predict_activity`, which costs one sequence per TSS, and then `select_active`.

    Parameters
    ----------
    model, fasta, tss, length, center, tracks, args
        As in `predict_activity`.

    top, max_offset: optional
        As in `select_active`. Defaults are 10,000 and None.

    **kwargs: RunOptions, optional
        `batch_size`, `dtype`, `device` and `verbose`, as in `predict_activity`.

    Returns
    -------
    selected: pandas.DataFrame
        The columns of `tss`, then `track`, `activity`, `offset` (bp) if the model returns it, and `rank` from 1. A
        warning names the first track of which `max_offset` leaves no TSS.

    Raises
    ------
    ValueError
        As `predict_activity` and `select_active`.

    Examples
    --------
    >>> import tempfile
    >>> class CountA(torch.nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(-1, keepdim=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/genome.fa", "w") as file:
    ...         _ = file.write(">chr1\\nAACCGGTTAC\\n")
    ...     tss = pd.DataFrame({"chrom": "chr1", "tss": [4, 6], "strand": "-", "gene_id": ["A", "B"]})
    ...     rank_by_activity(CountA(), file.name, tss, top=1, length=4)
      chrom  tss strand gene_id  track  activity  rank
    0  chr1    6      -       B      0       2.0     1
    """
    check_count("top", top)
    activity = predict_activity(
        model, fasta, tss, length=length, center=center, tracks=tracks, args=args, need_offset=max_offset is not None,
        **kwargs,
    )  # fmt: skip
    selected = select_active(activity, top, max_offset=max_offset)
    lost = activity[~activity["track"].isin(selected["track"].unique())]
    if len(lost):
        names = list(dict.fromkeys(lost["track"]))
        nearest = lost.loc[lost["track"] == names[0], "offset"].abs().min()
        warn(
            f"max_offset={max_offset} leaves no TSS of {len(names)} of {activity['track'].nunique()} tracks; of track "
            f"{names[0]!r} the highest bin that is nearest to its TSS is {nearest:g} bp away."
        )
    return selected


def _genes(table: pd.DataFrame) -> pd.Series:
    """Return the gene that each row belongs to, marked by the column that names it."""
    gene = table[_KEY].astype(str).agg("\t".join, axis=1) if len(table) else pd.Series([], dtype=str)
    for column in ("gene_name", "gene_id"):
        if column in table.columns:
            name = table[column].astype(object)
            known = name.notna() & ~name.astype(str).isin(["", "."])
            gene = (column + " " + name.astype(str)).where(known, gene)
    return gene.reset_index(drop=True)


def _check_tracks(tracks: Labels, n: int) -> None:
    if tracks is None:
        return
    if len(tracks) != n:
        raise ValueError(f"tracks must have {n} entries, one for each track; got {len(tracks)}.")
    if len(set(tracks)) != n:
        raise ValueError(f"tracks must be named apart; got {list(tracks)}.")


def _numbers(y: Output) -> np.ndarray:
    """Return predictions of a batch, shape (1 or 2, N, tracks): activities, and offsets of the highest bins."""
    parts = [y] if isinstance(y, torch.Tensor) else list(y)
    arrays = [part.float().numpy() if part.dtype.itemsize < 4 else part.numpy() for part in parts]
    arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
    shapes = [array.shape for array in arrays]
    if len(arrays) > 2 or len(set(shapes)) > 1 or len(shapes[0]) != 2:
        raise ValueError(
            "the model must return one number per track, shape (N, tracks), and at most one more, the offset; got "
            f"{', '.join(map(str, shapes))}: wrap it in a Readout or a PeakReadout."
        )
    return np.stack(arrays)
